"""`python -m project up | dev | down | erase`."""

import argparse
import sys
from collections.abc import Callable

from project.supervisor import commands

COMMANDS: dict[str, tuple[Callable[[], int], str]] = {
    "up": (commands.up, "start everything and keep it running until Ctrl-C"),
    "dev": (lambda: commands.up(dev=True), "the same with DEBUG, starting again what you change"),
    "down": (commands.down, "stop what `up` started, from another terminal"),
    "erase": (commands.erase, "delete the private directory with all data"),
}


def main() -> int:
    """Run the command named on the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m project", description="Run Celesta.")
    chosen = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        chosen.add_parser(name, help=text)
    command, _ = COMMANDS[parser.parse_args().command]
    return command()


if __name__ == "__main__":
    sys.exit(main())
