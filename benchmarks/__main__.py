"""`python -m benchmarks`: see docs/performance.md."""

import os
import signal
import sys

from benchmarks.options import Options, parse
from benchmarks.servers import OwnDatabase, Servers
from benchmarks.sides import Hung, Wrong
from benchmarks.workers import WorkerFailed
from project.embedded.problems import ServerProblem


def main() -> int:
    """Run the benchmark that the command line asks for; return the exit code."""
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left behind
    try:
        with Servers() as servers, OwnDatabase(options.latency):
            os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
            return _run(options, servers)
    except (ServerProblem, WorkerFailed, Wrong, Hung) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: Options, servers: Servers) -> int:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    # Only now: what they import needs Django and its settings.
    from benchmarks import backfill, calls, canvas, ui

    kinds = {
        "backfill": backfill.run,
        "calls": calls.run,
        "canvas": canvas.run,
        "ui": ui.run,
    }
    return kinds[options.what](options, servers)


if __name__ == "__main__":
    sys.exit(main())
