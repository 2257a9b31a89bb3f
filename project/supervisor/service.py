"""One supervised service: started, watched, started again with a growing pause when it dies."""

import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO

from project.processes.child import Child, Command
from project.processes.ending import end_all

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# Who has lived so long is healthy: its next death counts as a first one.
HEALTHY_AFTER = 30.0


def pause_before(failures: int) -> float:
    """Return the seconds to wait before the start after so many failures in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** max(0, failures - 1))


@dataclass(frozen=True)
class Spec:
    """What a service is. `command` is asked before every start; `is_ready` at any time."""

    name: str
    command: Callable[[], Command]
    is_ready: Callable[[], bool]
    reloads: bool = False


class Service:
    """A service and its present process."""

    def __init__(
        self,
        spec: Spec,
        run: Path,
        log: Path,
        show: Callable[[str, str], None],
        tell: Callable[[str, str], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.spec = spec
        self.log = log
        self.child: Child | None = None
        self.failures = 0
        self._run = run
        self._show = show
        self._tell = tell
        self._clock = clock
        self._started = self._due = clock()
        self._reloading = False

    def start(self) -> None:
        """Start the process; its lines go to the log and to `show`."""
        self.child = Child.start(self.spec.command(), self._run, subprocess.PIPE)
        self._started = self._clock()
        pump = threading.Thread(target=self._pump, args=(self.child.popen.stdout,), daemon=True)
        pump.start()

    def tend(self) -> None:
        """Notice a death and plan the next start, or start when it is due."""
        if self.child and self.child.exit_code is not None:
            self._bury(self.child.exit_code)
        elif self.child is None and self._clock() >= self._due:
            self.start()

    def reload(self) -> None:
        """End the process gently, to be started again at once with changed code."""
        if self.child and self.child.exit_code is None:
            self._reloading = True
            self.child.popen.send_signal(signal.SIGTERM)

    def is_ready(self) -> bool:
        """Tell whether it runs and does its work."""
        return bool(self.child and self.child.exit_code is None and self.spec.is_ready())

    def _bury(self, code: int) -> None:
        """Say how the process ended and when the next one starts."""
        if self.child:
            end_all([self.child.record])  # a killed worker's pool must not work on beside a new one
        self.child = None
        if self._clock() - self._started >= HEALTHY_AFTER:
            self.failures = 0
        pause = 0.0
        if not self._reloading:
            self.failures += 1
            pause = pause_before(self.failures)
            self._tell(self.spec.name, f"{ending(code)}; starting again in {pause:g} s")
        self._reloading = False
        self._due = self._clock() + pause

    def _pump(self, stream: IO[bytes]) -> None:
        """Copy lines to the log and to the terminal until the process closes its end."""
        with stream, self.log.open("ab", buffering=0) as log:
            for line in stream:
                log.write(line)
                self._show(self.spec.name, line.decode(errors="replace").rstrip())


def ending(code: int) -> str:
    """Return how a process ended, in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
