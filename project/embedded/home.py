"""The private directory: where servers keep data, secrets, logs and records of processes."""

import fcntl
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from project.embedded.problems import ServerProblem, demand_space, unusable


class Home:
    """A private directory (`.celesta/`), closed to other users."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.logs = path / "logs"
        self.environment = path / "environment"
        self._secrets = path / "secrets"
        self._lock: IO[str] | None = None

    def prepare(self) -> None:
        """Make the directories; raise ServerProblem if that cannot be."""
        try:
            for directory in (self.path, self.run, self.logs, self._secrets):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Run by root, PostgreSQL needs another account, which must get through (not in).
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            demand_space(self.path)
        except OSError as error:
            raise unusable(self.path, error) from error

    def lock(self, patience: float = 0.0) -> int:
        """Hold the directory for this process; return the descriptor that holds it.

        Whoever inherits the descriptor holds it too. Raises ServerProblem if another process
        still does after `patience` seconds.
        """
        self._lock = (self.path / "lock").open("a+")
        deadline = time.monotonic() + patience
        while not _take(self._lock):
            if time.monotonic() >= deadline:
                self.unlock()
                raise ServerProblem(
                    f"Celesta already runs in {self.path}: use it, or stop it with `make down`."
                )
            time.sleep(0.1)
        return self._lock.fileno()

    def unlock(self) -> None:
        """Give the directory free."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def secret(self, name: str) -> str:
        """Return a random secret that is made once and kept in a file of mode 0600."""
        path = self._secrets / name
        if path.exists() and (kept := path.read_text().strip()):
            return kept
        value = secrets.token_urlsafe(48)
        write_private(path, value)
        return value

    def publish(self, values: dict[str, str]) -> None:
        """Write for other terminals what `project.env` reads when a variable is not set."""
        write_private(self.environment, "".join(f"{k}={v}\n" for k, v in values.items()))

    def log(self, name: str) -> Path:
        """Return the log file of a server or service; a long one of earlier days is set aside."""
        path = self.logs / f"{name}.log"
        with suppress(FileNotFoundError):
            if path.stat().st_size > 16 * 1024 * 1024:
                path.replace(path.with_suffix(".log.1"))
        return path


def _take(lock: IO[str]) -> bool:
    """Lock an open file for this process and its heirs, if nobody else has."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
