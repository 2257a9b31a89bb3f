"""`python -m project.frontend build`, or a script of frontend/package.json: check, test, format.

It installs what frontend/package-lock.json names first, if that has changed. Another one in the
same clone waits; a build that finds nothing changed then builds nothing.
"""

import sys
import time
from collections.abc import Sequence

from project.frontend.node import NoNode
from project.frontend.pages import Pages
from project.supervisor.output import Output


def main(arguments: Sequence[str], pages: Pages | None = None) -> int:
    """Run a script; return an exit code."""
    pages, output, script = pages or Pages(), Output(), arguments[0]
    begun = time.monotonic()
    try:
        with pages.alone():
            if script == "build" and pages.up_to_date():
                output.step("Visual pages up to date", time.monotonic() - begun)
                return 0
            told = pages.build() if script == "build" else pages.run(script)
    except NoNode as error:
        told = str(error)
    if told:
        output.problem(f"{told}\n  ✗ Visual pages: {script}")
        return 1
    if script == "build":
        output.step("Visual pages built", time.monotonic() - begun)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
