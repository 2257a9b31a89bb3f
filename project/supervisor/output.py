"""What the user sees: steps with their seconds, then the services' lines, each with its label."""

import os
import sys
import threading
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)
RED, BOLD, DIM = 31, 1, 2
LABEL_WIDTH = 8


class Output:
    """A terminal (or a pipe) that several threads write whole lines to."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colourful = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._labels: dict[str, int] = {}
        self._lock = threading.Lock()
        self.shows_services = False

    def line(self, text: str = "") -> None:
        """Print a line of the supervisor's own."""
        with self._lock:
            self._write(text)

    def problem(self, text: str) -> None:
        """Print a line about something gone wrong."""
        self.line(self._paint(text, RED))

    def step(self, title: str, seconds: float, detail: str = "") -> None:
        """Print that a step is done."""
        done, took = self._paint("✓", COLOURS[1]), self._paint(f"{seconds:6.1f} s", DIM)
        self.line(f"  {done} {title:<28}{took}  {detail}".rstrip())

    def service(self, label: str, text: str) -> None:
        """Print a service's line, once services are shown; their logs hold all of them."""
        if self.shows_services:
            self.told(label, text)

    def told(self, label: str, text: str) -> None:
        """Print a line about or from a service."""
        with self._lock:
            colour = COLOURS[self._labels.setdefault(label, len(self._labels)) % len(COLOURS)]
            self._write(f"{self._paint(f'{label:<{LABEL_WIDTH}} |', colour)} {text}")

    def fileno(self) -> int:
        """Return the descriptor for a child that prints by itself."""
        return self._stream.fileno()

    def bold(self, text: str) -> str:
        """Return a text that stands out."""
        return self._paint(text, BOLD)

    def _paint(self, text: str, colour: int) -> str:
        """Return a text in a colour, if this terminal shows any."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colourful else text

    def _write(self, text: str) -> None:
        """Write a line; a closed terminal is no reason to stop the services half-way."""
        try:
            self._stream.write(f"{text}\n")
            self._stream.flush()
        except (OSError, UnicodeEncodeError) as error:
            if isinstance(error, UnicodeEncodeError):
                self._stream.write(f"{text.encode('ascii', 'replace').decode()}\n")
