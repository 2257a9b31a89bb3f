#!/usr/bin/env python
"""Django's command line for the reference project (`python manage.py help`)."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Run the management command named on the command line."""
    sys.path[:0] = [str(ROOT), str(ROOT / "apps"), str(ROOT / "workers")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        # What stands in the way of nearly everybody's first command in a second terminal.
        raise SystemExit(
            f"{sys.executable} has no {error.name}: Celesta is installed in .venv by `make up`. "
            "Activate it in this terminal: . .venv/bin/activate"
        ) from None

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
