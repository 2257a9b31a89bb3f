"""`python -m project.frontend build`, or a script of frontend/package.json: check, test, format.

It installs what frontend/package-lock.json names first, if that has changed.
"""

import subprocess
import sys
import time
from collections.abc import Sequence

from project import ROOT
from project.frontend.node import NoNode, npm
from project.supervisor.output import Output

HOME = ROOT / "frontend"
LOCK = HOME / "package-lock.json"
#: npm itself writes this file when it has installed all that the lock names.
INSTALLED = HOME / "node_modules" / ".package-lock.json"


def main(arguments: Sequence[str]) -> int:
    """Run a script; return an exit code."""
    output = Output()
    script = arguments[0]
    begun = time.monotonic()
    try:
        told = _run(script)
    except NoNode as error:
        told = str(error)
    if told:
        output.problem(f"{told}\n  ✗ Visual pages: {script}")
        return 1
    if script == "build":
        output.step("Visual pages built", time.monotonic() - begun)
    return 0


def _run(script: str) -> str:
    """Install what is missing, then run the script; return what went wrong."""
    command, environment = npm()
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        failed = _npm([*command, "ci", "--prefer-offline"], environment)
        if failed:
            return failed
        INSTALLED.touch()
    return _npm([*command, "run", "--silent", script], environment)


def _npm(argv: list[str], environment: dict[str, str]) -> str:
    """Run npm in frontend/; return what it printed if it failed."""
    done = subprocess.run(
        argv,
        cwd=HOME,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return (done.stdout[-8000:].rstrip() or f"{argv[1:]} failed") if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
