"""`make check`: the one truth about the code. Every check is run, whatever the others say."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from project import ROOT
from project.processes.child import python
from project.supervisor.output import Output


@dataclass(frozen=True)
class Check:
    """A check's title and its command."""

    title: str
    argv: list[str] = field(default_factory=list)


CHECKS = (
    Check("Format", python("-m", "ruff", "format", "--check", "--quiet", ".")),
    Check("Format of the pages", python("-m", "project.frontend", "format:check")),
    Check("Lint", python("-m", "ruff", "check", "--quiet", ".")),
    Check("Types", python("-m", "mypy")),
    Check("Types of the pages", python("-m", "project.frontend", "check")),
    Check(
        "Arrows between rooms",
        python("-c", "from importlinter.cli import lint_imports_command as c; c()"),
    ),
    Check(
        "Migrations complete",
        python("-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"),
    ),
    Check(
        "Fit for deployment",
        python("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
    ),
    Check("OpenAPI", python("-m", "project.checks.openapi")),
    Check("docs/features.md is true", python("-m", "project.checks.features")),
)


def main() -> int:
    """Run all checks; return an exit code."""
    output = Output()
    failed = [check.title for check in CHECKS if not _passes(check, output)]
    if failed:
        output.problem(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}")
    return 1 if failed else 0


def _passes(check: Check, output: Output) -> bool:
    """Run a check; print its output if it fails."""
    begun = time.monotonic()
    done = subprocess.run(
        check.argv,
        cwd=ROOT,
        env=_environment(),
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        output.line(done.stdout.rstrip())
        output.problem(f"  ✗ {check.title}")
        return False
    last = (done.stdout.strip().splitlines() or [""])[-1]
    output.step(check.title, time.monotonic() - begun, last if len(last) < 60 else "")
    return True


def _environment() -> dict[str, str]:
    """Return an environment in which nothing of the user's own deployment is looked at."""
    ours = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "PUBLIC_URL", "DEBUG")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "apps", "workers"))
    return {**kept, "DJANGO_SETTINGS_MODULE": "project.checks.settings", "PYTHONPATH": paths}


if __name__ == "__main__":
    sys.exit(main())
