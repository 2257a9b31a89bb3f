"""Where distributions are installed, and which are there.

``importlib.metadata`` is not asked: it hides files that are missing (from Python 3.12 on), trips
over metadata that is not UTF-8, and both are just what an audit wants to see.
"""

from __future__ import annotations

import re
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: What an installer leaves beside the packages, by the name's end.
MARKS = (".dist-info", ".egg-info", ".egg-link")
#: ``name-version`` and, in old eggs, ``name-version-py3.11``.
_STEM = re.compile(r"(?P<name>.+?)(-(?P<version>[^-]+)(-py[\d.]+)?)?")


class PlaceMissing(ValueError):
    """A folder to audit is not there."""


@dataclass(frozen=True)
class Distribution:
    """One installed distribution: ``info`` is the path of its metadata folder (or file)."""

    name: str
    version: str
    info: str

    @property
    def place(self) -> Path:
        """The folder that its recorded paths are relative to."""
        return Path(self.info).parent


def places(paths: Iterable[str] = ()) -> list[Path]:
    """The folders given, or else those of this interpreter and of the one it was made from,
    unless that is the operating system's own.

    Raises PlaceMissing for a given folder that does not exist.
    """
    given = [Path(path) for path in paths]
    for path in given:
        if not path.is_dir():
            raise PlaceMissing(f"params.paths: {str(path)!r} is not a folder on this worker")
    found = given or [path for path in map(Path, _own()) if path.is_dir()]
    return list(dict.fromkeys(path.resolve() for path in found))


def _own() -> Iterator[str]:
    yield from _of({})
    prefix = sys.base_prefix
    base = {"base": prefix, "platbase": sys.base_exec_prefix, "installed_base": prefix}
    if not _belongs_to_the_system(base):
        yield from _of(base)
        yield from site.getsitepackages([prefix])
    if site.ENABLE_USER_SITE:
        yield site.getusersitepackages()


def _of(variables: dict[str, str]) -> Iterator[str]:
    paths = sysconfig.get_paths(vars=variables)
    yield from (paths["purelib"], paths["platlib"])


def _belongs_to_the_system(base: dict[str, str]) -> bool:
    # Marked by PEP 668. An operating system's packager strips and patches files after their RECORD
    # was made, and has a check of its own (debsums, rpm -V): here all of that would look corrupt.
    return (Path(sysconfig.get_path("stdlib", vars=base)) / "EXTERNALLY-MANAGED").exists()


def distributions(place: Path) -> list[Distribution]:
    """The distributions installed in one folder, by name."""
    found = [_named(entry) for entry in place.iterdir() if entry.name.endswith(MARKS)]
    return sorted(found, key=lambda one: (one.name.lower(), one.version))


def _named(entry: Path) -> Distribution:
    match = _STEM.fullmatch(entry.name[: -len(entry.suffix)])
    name, version = match.group("name", "version") if match else (entry.stem, None)
    return Distribution(shown(name), shown(version or ""), str(entry))


def shown(text: str) -> str:
    """The text as JSON and a page can carry it: undecodable bytes and NUL become escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
