"""`python manage.py` with a Python that has nothing installed: one line with the cure."""

import subprocess
import sys

from project import ROOT


def test_a_python_without_django_is_told_where_celesta_is_installed() -> None:
    # -S leaves the installed packages out, -I what the environment adds.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "manage.py"), "run", "list"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert ". .venv/bin/activate" in done.stderr
    assert done.stderr.count("\n") == 1
