"""The warden: a process that ends the others when the one that started them has vanished.

It reads its standard input, whose other end only the supervisor holds. End of file means that
the supervisor is gone, whatever killed it. This reaches grandchildren (a worker's pool), works
alike on Linux and macOS, and is not undone by a change of user as a parent-death signal is.
Started as `python -m project.processes.warden <run directory> [file to remove ...]`.
"""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from project import ROOT
from project.processes.child import python
from project.processes.ending import sweep

# Services get 8 + 2 seconds and servers 3 when all goes well; here all of it must fit into 10.
PACE = 0.4
# How long the next `up` waits for a warden that is still clearing up.
PATIENCE = 12.0


class Warden:
    """The supervisor's handle on its warden."""

    def __init__(self, run: Path, *remove: Path, holding: Sequence[int] = ()) -> None:
        """Start the warden of a run directory.

        `remove` are files to delete when all is over. `holding` are descriptors (a lock) that it
        keeps open until then, so that nobody starts anew amid the clearing up.
        """
        self._run = run
        self._remove = remove
        self._holding = holding
        self._popen = self._start()

    def tend(self) -> bool:
        """Start the warden again if it has died; return whether that was needed."""
        if self._popen.poll() is None:
            return False
        self._popen = self._start()
        return True

    def dismiss(self) -> None:
        """Let the warden go: it ends whatever still has a record, which should be nothing."""
        if self._popen.stdin:
            self._popen.stdin.close()
        self._popen.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start the warden in a session of its own, so that no terminal signal reaches it."""
        arguments = [str(self._run), *(str(path) for path in self._remove)]
        return subprocess.Popen(
            python("-m", "project.processes.warden", *arguments),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=self._holding,
        )


def main(run: str, *remove: str) -> None:
    """Wait for the end of standard input, then end everything that has a record."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a signal to all processes must not end it first
    while sys.stdin.buffer.read(1024):
        pass
    sweep(Path(run), pace=PACE)
    for path in remove:
        with contextlib.suppress(OSError):
            Path(path).unlink(missing_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
