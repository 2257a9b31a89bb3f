"""``manage.py workflow dry-run``: what a run would do, on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from celesta.console.management.params import collect
from celesta.console.management.terminal import Terminal
from celesta.console.management.verbs import read_text
from celesta.engine import dry_run
from celesta.engine.dry_run import Step
from celesta.runs.queries import plan_of
from celesta.workflows.models import WorkflowVersion


class DryRunVerb:
    """The verb ``dry-run`` of the command ``workflow``."""

    dry_run_verb: ClassVar[dict[str, str]] = {
        "dry-run": "say what a run would do, without starting it",
    }
    terminal: Terminal
    workspace: Any
    #: The command's own: a version by the name of its workflow and its number.
    _version: Callable[[str, int | None], WorkflowVersion]

    def dry_run_arguments(self, parser: CommandParser) -> None:
        """Arguments of ``dry-run``."""
        parser.add_argument("name", nargs="?", help="name of the workflow")
        parser.add_argument("--file", help="a document instead, published or not; - is stdin")
        parser.add_argument("--version", dest="number", type=int, help="by default the current one")
        parser.add_argument("-p", action="append", default=[], dest="pairs", metavar="NAME=VALUE")
        parser.add_argument("--params", metavar="JSON")

    def do_dry_run(
        self, *, name: str | None, file: str | None, number: int | None, pairs: list[str],
        params: str | None, **_: Any,
    ) -> None:  # fmt: skip
        """Exit code 1 when a node would fail."""
        if bool(name) == bool(file):
            raise CommandError("Name a workflow, or a document with --file.")
        if file:
            given = collect({}, pairs, params)
            found = dry_run.of_document(self.workspace, read_text(file), given)
        else:
            version = self._version(str(name), number)
            given = collect(plan_of(version.pk).params_schema, pairs, params)
            found = dry_run.of_version(version, given)
        for problem in found.problems:
            self.terminal.problem(problem, file or str(name))
        if self.terminal.as_json:
            nodes = [_told(step) for step in found.steps]
            self.terminal.value({"params": found.params, "waves": found.waves, "nodes": nodes})
        headings = ("wave", "name", "type", "queue", "fate", "reason")
        rows = [[_told(step)[heading] for heading in headings] for step in found.steps]
        self.terminal.table([heading.upper() for heading in headings], rows)
        if failing := [step.node.name for step in found.steps if step.fate == "fails"]:
            raise CommandError(f"These nodes would fail: {', '.join(failing)}.")


def _told(step: Step) -> dict[str, Any]:
    return {
        "wave": step.at,
        "name": step.node.name,
        "type": step.node.type,
        "queue": step.node.queue,
        "fate": step.fate,
        "reason": step.reason,
        "code": step.code,
        "items": step.items,
        "config": step.config,
        "output": step.output,
    }
