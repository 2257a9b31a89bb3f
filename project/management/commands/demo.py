"""`manage.py demo`: publish the examples and run the package audit in front of the user."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError

from project.demo.problems import DemoProblem
from project.demo.story import TIMEOUT, Story
from project.supervisor.output import Output


class Command(BaseCommand):
    """Runs the demonstration."""

    help = "Publish the example workflows, run the package audit and show what it found."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--timeout", type=float, default=TIMEOUT, help="seconds that the audit may take"
        )

        parser.add_argument(
            "--path", action="append", default=[], help="a folder to audit; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        output = Output(sys.stdout)
        try:
            Story(sys.stdout, options["timeout"], options["path"]).tell()
        except DemoProblem as problem:
            output.problem(str(problem))
            sys.exit(1)
        except OperationalError as error:
            reason = " ".join(str(error).split())
            output.problem(f"The database cannot be used ({reason}): start Celesta by `make up`.")
            sys.exit(1)
