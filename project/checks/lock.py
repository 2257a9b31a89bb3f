"""`make lock`: resolve requirements*.in and package.json into locks, and prove them everywhere.

Proof means that pip's rules find a wheel with a known hash for every package on every supported
Python and system; nothing is built from source on a user's machine.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from project import ROOT
from project.frontend.node import npm

PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
)
LOCKS = ("requirements", "requirements-dev", "requirements-node")
PACKAGES = ROOT / "frontend" / "package-lock.json"
HEAD = "# Made by `make lock` from {name}.in; do not edit.\n"
# A package that has source distributions only is allowed by name, with the reason.
SOURCE_ONLY: tuple[str, ...] = ()


def main() -> int:
    """Write the locks and check them; return an exit code."""
    for name in LOCKS:
        _compile(name)
    _lock_pages()
    failures = [failure for name in LOCKS for python in PYTHONS for failure in _prove(name, python)]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _compile(name: str) -> None:
    """Resolve one file for all systems; the dev lock keeps the versions of the runtime lock."""
    target = ROOT / f"{name}.txt"
    kept = ["-c", "requirements.txt"] if name != LOCKS[0] else []
    options = ["--universal", "--python-version", PYTHONS[0], "--generate-hashes"]
    quiet = ["--no-header", "--no-annotate", "-q"]
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory) / "lock.txt"
        draft.write_text(target.read_text() if target.exists() else "")  # keeps what still fits
        _uv("pip", "compile", f"{name}.in", "-o", str(draft), *options, *quiet, *kept)
        target.write_text(HEAD.format(name=name) + draft.read_text())
    foreign = re.findall(r"^.*(?:://|\s@\s|file:).*$", target.read_text(), re.MULTILINE)
    if foreign:
        raise SystemExit(f"{target.name} names a place, not a version: {foreign[0]}")


def _lock_pages() -> None:
    """Resolve frontend/package.json; the lock names versions and hashes, and no place."""
    command, environment = npm()
    subprocess.run(
        [*command, "install", "--package-lock-only", "--silent"],
        cwd=PACKAGES.parent,
        env=environment,
        check=True,
    )
    lock = json.loads(PACKAGES.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    PACKAGES.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")
    foreign = re.findall(r"^.*://.*$", PACKAGES.read_text(), re.MULTILINE)
    if foreign:
        raise SystemExit(f"{PACKAGES.name} names a place, not a version: {foreign[0]}")


def _prove(name: str, python: str) -> list[str]:
    """Return for which systems no complete set of wheels exists."""
    failures = []
    for system in SYSTEMS:
        with tempfile.TemporaryDirectory() as target:
            wanted = ["--python-version", python, "--python-platform", system, "--target", target]
            strict = ["--require-hashes", "--only-binary", ":all:", "--dry-run", "-q"]
            source = [part for package in SOURCE_ONLY for part in ("--no-binary", package)]
            done = _uv(
                *("pip", "install", "-r", f"{name}.txt", *wanted, *strict, *source), check=False
            )
        print(f"{name}.txt  Python {python}  {system}: {'ok' if not done.returncode else 'FAILED'}")
        if done.returncode:
            failures.append(f"{name}.txt on Python {python}, {system}: {done.stderr.strip()}")
    return failures


def _uv(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run uv, which is installed beside this interpreter."""
    program = Path(sys.executable).with_name("uv")
    return subprocess.run(
        [str(program), "--no-config", *arguments],
        cwd=ROOT,
        check=check,
        text=True,
        stderr=subprocess.PIPE if not check else None,
    )


if __name__ == "__main__":
    sys.exit(main())
