"""The shared page of a slot: what a pool process tells the keeper, and the keeper tells it.

One small memory-mapped file per slot, named by the worker and its own process, so that the keeper
(in the main process) sees what a child is doing without asking it, also after the child has died.
Times are of the system-wide monotonic clock, in seconds.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from celesta.runs import connection

#: slot id, token (0: idle), seq, begun, in-body flag, soft deadline (0: none), body serial
_LAYOUT = struct.Struct("=qqiiiidq")
_SIZE = 4096
#: Written by the keeper into a slot's page: serial of the body that it wants to end.
_ASKED = struct.Struct("=q")
_ASKED_AT = 1024
#: Where the keeper writes the serial of the body during which it relieved the slot.
_RELIEVED_AT = _ASKED_AT + 64
#: On the worker's page: stopping flag, backlog, events flag.
_WORKER = struct.Struct("=iii")


def directory() -> Path:
    """Where the pages of this machine, user and database are; in memory where that can be.

    Containers that share that place do not share their process numbers: each has its own pages.
    Nor do databases share the numbers of slots: the keeper of one would take back, for a process
    of the other that died, what a living process of its own holds.
    """
    shm = Path("/dev/shm")  # noqa: S108 - private below: mode 0700, named by the user
    base = shm if shm.is_dir() and os.access(shm, os.W_OK) else Path(tempfile.gettempdir())
    database = hashlib.sha256(connection.which().encode()).hexdigest()[:12]
    path = base / f"celesta-{os.getuid()}{_process_numbers()}-{database}"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


@cache
def _process_numbers() -> str:
    """A name for the set of process numbers that this process sees (Linux: its PID namespace)."""
    try:
        return f"-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class SlotView:
    """What a slot page says at one moment. ``begun`` counts held rows begun since call ``seq``."""

    pid: int
    thread: int
    slot: int
    token: int
    seq: int
    begun: int
    in_body: bool
    deadline: float
    serial: int
    #: Rows that the slot holds, begun or not.
    held: int = 0


class _Page:
    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        flags = os.O_RDWR | (os.O_CREAT if create else 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            if create:
                os.ftruncate(descriptor, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Unmap and delete the file."""
        with suppress(BufferError):
            self._map.close()
        self.path.unlink(missing_ok=True)


class SlotPage(_Page):
    """The child's side: written by the runner around every claim and every body."""

    def __init__(self, worker_pid: int, pid: int, thread: int) -> None:
        super().__init__(directory() / f"{worker_pid}.{pid}.{thread}.slot", create=True)
        self.slot = self.token = self.seq = self.begun = self.held = self.serial = 0
        self._write(in_body=0, deadline=0.0)

    def _write(self, *, in_body: int, deadline: float) -> None:
        _LAYOUT.pack_into(
            self._map,
            0,
            self.slot,
            self.token,
            self.seq,
            self.begun,
            self.held,
            in_body,
            deadline,
            self.serial,
        )

    def hold(self, token: int, seq: int, begun: int = 0, held: int = 0) -> None:
        """Say under which token the slot holds how many rows (0: none), as of call ``seq``."""
        self.token, self.seq, self.begun, self.held = token, seq, begun, held
        self._write(in_body=0, deadline=0.0)

    def begin(self) -> None:
        """The next held row begins."""
        self.begun += 1
        self._write(in_body=0, deadline=0.0)

    def enter(self, deadline: float) -> None:
        """A body begins; ``deadline`` is monotonic seconds, 0 for none."""
        self.serial += 1
        self._write(in_body=1, deadline=deadline)

    def leave(self) -> None:
        """The body has ended."""
        self._write(in_body=0, deadline=0.0)

    @property
    def is_asked(self) -> bool:
        """True when the keeper wants the body that began last to end: not the one before it."""
        return bool(_ASKED.unpack_from(self._map, _ASKED_AT)[0] == self.serial)

    @property
    def is_relieved(self) -> bool:
        """True when the keeper gave others what had not begun while the last body ran."""
        return bool(self.serial and _ASKED.unpack_from(self._map, _RELIEVED_AT)[0] == self.serial)


class WorkerPage(_Page):
    """The keeper's side of the talk: what the main process tells its children."""

    def __init__(self, worker_pid: int, *, create: bool = False) -> None:
        super().__init__(directory() / f"{worker_pid}.worker", create=create)

    def write(self, *, stopping: bool, backlog: int, events: bool) -> None:
        """Tell the children whether to hand back, what waits undelivered, and who watches."""
        _WORKER.pack_into(self._map, 0, stopping, backlog, events)

    @property
    def stopping(self) -> bool:
        """True when running lanes must hand back."""
        return bool(_WORKER.unpack_from(self._map)[0])

    @property
    def backlog(self) -> int:
        """Messages the worker has received and not yet given to a process."""
        return int(_WORKER.unpack_from(self._map)[1])

    @property
    def events(self) -> bool:
        """True while somebody (Flower) listens to worker events."""
        return bool(_WORKER.unpack_from(self._map)[2])


def ask(path: Path, serial: int) -> None:
    """Say in a slot's page which body is to end; the signal that follows is for that one alone."""
    with path.open("r+b") as page:
        page.seek(_ASKED_AT)
        page.write(_ASKED.pack(serial))


def relieve(path: Path, serial: int) -> None:
    """Say in a slot's page that what follows this body will be done by others."""
    with path.open("r+b") as page:
        page.seek(_RELIEVED_AT)
        page.write(_ASKED.pack(serial))


def workers() -> set[int]:
    """Process numbers of the workers that have pages here, dead ones included."""
    names = (path.name.split(".")[0] for path in directory().glob("*.*"))
    return {int(name) for name in names if name.isdigit()}


def forget(worker_pid: int) -> None:
    """Delete the page of a dead worker."""
    (directory() / f"{worker_pid}.worker").unlink(missing_ok=True)


def slots_of(worker_pid: int) -> Iterator[tuple[Path, SlotView]]:
    """The pages of a worker's slots, dead processes included."""
    for path in sorted(directory().glob(f"{worker_pid}.*.slot")):
        view = view_of(path)
        if view is not None:
            yield path, view


def view_of(path: Path) -> SlotView | None:
    """What a slot's page says now; None when it is gone, or being created."""
    try:
        data = path.read_bytes()[: _LAYOUT.size]
    except FileNotFoundError:
        return None
    if len(data) < _LAYOUT.size:
        return None
    _, pid, thread, _ = path.name.split(".")
    slot, token, seq, begun, held, in_body, deadline, serial = _LAYOUT.unpack(data)
    return SlotView(
        int(pid), int(thread), slot, token, seq, begun, bool(in_body), deadline, serial, held
    )
