"""Commands with verbs: ``manage.py run start ...``."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from celesta.access import workspaces
from celesta.access.errors import AccessError
from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM, Principal
from celesta.console.management.terminal import Terminal
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.runs.errors import EngineError
from celesta.workflows.errors import WorkflowError

DATABASE_AWAY = "PostgreSQL cannot be reached; nothing was changed. Check DATABASE_URL."


class VerbCommand(BaseCommand):
    """A command whose verbs are methods named ``do_<verb>``; refusals end with exit code 1."""

    #: The verbs with what they do, in the order of the help page.
    verbs: ClassVar[dict[str, str]] = {}
    terminal: Terminal

    def add_arguments(self, parser: CommandParser) -> None:
        """A sub-parser for each verb; :meth:`arguments_of` adds what is its own."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb, help_text in self.verbs.items():
            own = verbs.add_parser(verb, help=help_text, description=help_text)
            own.add_argument(
                "--workspace", default=workspaces.DEFAULT, help="slug of the workspace"
            )
            own.add_argument("--json", action="store_true", help="print JSON, for programs")
            self.arguments_of(verb, own)

    def arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one verb."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry the verb out; every refusal becomes one clear line and exit code 1."""
        self.options = options
        self.terminal = Terminal(self.stdout, self.style, as_json=options["json"])
        try:
            getattr(self, f"do_{options['verb'].replace('-', '_')}")(**options)
        except DocumentInvalid as error:
            self.refuse_document(error.problems)
        except EngineError as error:
            for problem in error.problems:
                self.terminal.problem(problem, "params")
            raise CommandError(f"{error.detail} [{error.code}]") from error
        except (AccessError, WorkflowError) as error:
            raise CommandError(f"{error.detail} [{error.code}]") from error
        except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
            raise CommandError(DATABASE_AWAY) from error

    def refuse_document(self, problems: Iterable[Problem]) -> None:
        """End because of a document's problems."""
        found = [problem for problem in problems if problem.severity == "error"]
        for problem in found:
            self.terminal.problem(problem, str(self.options.get("file", "document")))
        if self.terminal.as_json:
            self.terminal.value({"valid": False, "problems": [p.as_dict() for p in found]})
        raise CommandError(f"{len(found)} error{'s' * (len(found) != 1)}; nothing was published.")

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace named by ``--workspace``."""
        slug = self.options["workspace"]
        return (
            workspaces.default() if slug == workspaces.DEFAULT else workspaces.choose(SYSTEM, slug)
        )

    @cached_property
    def principal(self) -> Principal:
        """Whoever may run commands on the host may do everything; runs show who it was."""
        return Principal(name=f"{getpass.getuser()} (command line)", everywhere=True)


def read_text(file: str) -> str:
    """The text of a file, or of standard input for ``-``."""
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123 - messages name the file as given
            return opened.read()
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 (byte {error.start}).") from error
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
