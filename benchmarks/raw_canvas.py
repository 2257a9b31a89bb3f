"""The other side: the same graphs as raw Celery canvas, on an app without Django and Celesta.

Layers are chords nested by hand: `chain(group, group, group)` would run the last layer once for
every task of the layer before it.
"""

import os
import time
from collections.abc import Callable, Sequence

from celery import Celery, Signature, chain, chord, group

from benchmarks.names import RAW_QUEUE
from project import readiness

#: A file that takes a line `run layer began ended` for each stamped task.
STAMPS = "CELESTA_BENCH_STAMPS"

_url = os.environ.get("CELESTA_BENCH_BROKER", "")
# No fixups: Celery's Django fixup would slow the tasks down by a factor of five.
app = Celery("benchmarks.raw_canvas", broker=_url, backend=_url, fixups=[], set_as_current=False)
app.conf.update(
    task_default_queue=RAW_QUEUE,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    result_expires=300,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
readiness.announce()


@app.task
def noop(*_: object) -> None:
    """Do nothing."""


@app.task
def stamped(*_: object, run: int, layer: int) -> None:
    """Do nothing, and write down when."""
    began = time.time()
    file = os.open(os.environ[STAMPS], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{run} {layer} {began!r} {time.time()!r}\n".encode())
    finally:
        os.close(file)


def canvas(layers: Sequence[int], task: Callable[[int], Signature]) -> Signature:
    """Return the canvas of a graph that ends in one node; `task(layer)` makes a task of a layer."""
    *before, last = range(len(layers))
    if layers[last] != 1:
        raise ValueError("a canvas whose last layer is wider than one has no single result")
    parts = [task(last)]
    for layer in reversed(before):
        if layers[layer] == 1:
            parts.insert(0, task(layer))
        else:
            header = group([task(layer) for _ in range(layers[layer])], app=app)
            parts = [chord(header, _sequence(parts), app=app)]
    return _sequence(parts)


def _sequence(parts: list[Signature]) -> Signature:
    return parts[0] if len(parts) == 1 else chain(*parts, app=app)
