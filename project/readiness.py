"""A worker or beat that is ready says so in a file: for the supervisor, containers and tests.

`CELESTA_READY_FILE` names it; without that nothing is written.
"""

import os
from pathlib import Path

from celery import signals


def announce() -> None:
    """Have this process write the file when it is ready and remove it when it stops."""
    named = os.environ.get("CELESTA_READY_FILE")
    if not named:
        return
    file = Path(named)

    def write(**_: object) -> None:
        file.write_text(str(os.getpid()))

    def remove(**_: object) -> None:
        file.unlink(missing_ok=True)

    for ready in (signals.worker_ready, signals.beat_init):
        ready.connect(write, weak=False)
    signals.worker_shutting_down.connect(remove, weak=False)
