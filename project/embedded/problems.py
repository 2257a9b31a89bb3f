"""What can go wrong with a private server: one line that says what, where, and the cure."""

import errno
import re
import shutil
from pathlib import Path

LEAST_FREE = 256 * 1024 * 1024  # bytes: PostgreSQL's first 40 MB, its log of changes, and room


class ServerProblem(Exception):
    """A server cannot be started or used; the message is one line with the cure."""


class PortTaken(ServerProblem):
    """The port chosen a moment ago was taken by somebody else meanwhile."""


def demand_space(path: Path) -> None:
    """Raise ServerProblem if the disk that holds `path` is nearly full."""
    free = shutil.disk_usage(path).free
    if free < LEAST_FREE:
        raise ServerProblem(
            f"The disk of {path} has {free // 2**20} MB left, {LEAST_FREE // 2**20} MB are "
            "needed: free some space, or set CELESTA_HOME to a directory on another disk."
        )


def unusable(path: Path, error: OSError) -> ServerProblem:
    """Return the problem of a directory that cannot be made or written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServerProblem(
            f"No space is left on the disk of {path}: free some, or set CELESTA_HOME to a "
            "directory on another disk."
        )
    return ServerProblem(
        f"The directory {path} cannot be used ({error.strerror}): run as its owner, or set "
        "CELESTA_HOME to a directory of your own."
    )


def explain(server: str, log: Path, data: Path, since: int = 0) -> ServerProblem:
    """Return the problem that the last lines of a server's log tell of.

    `since` is the length that the log had when this start began: what an earlier one complained of
    (or answered to an early client) is not the reason now.
    """
    lines = tail(log, since=since)
    text = "\n".join(lines)
    if re.search(r"No space left on device|ENOSPC|Disk quota exceeded", text):
        return ServerProblem(
            f"{server} found no space left on the disk of {data}: free some space, or set "
            "CELESTA_HOME to a directory on another disk."
        )
    if re.search(r"Address already in use|could not bind|Failed listening on port", text):
        return PortTaken(f"{server} found its port taken: start again, another will be chosen.")
    told = next((line for line in reversed(lines) if re.search(r"FATAL|PANIC|Fatal", line)), "")
    said = re.sub(r"^.*?(?=FATAL|PANIC|Fatal)", "", told or (lines or ["nothing"])[-1]).strip()
    return ServerProblem(
        f"{server} cannot use its data in {data} (it says: {said}): put a backup there, or set "
        f"the directory aside (mv '{data}' '{data}.broken') to begin with an empty one; log: {log}"
    )


def length(log: Path) -> int:
    """Return the length of a log in bytes; it need not exist."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, lines: int = 12, since: int = 0) -> list[str]:
    """Return the last lines of a log from a byte on; it need not exist."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]
