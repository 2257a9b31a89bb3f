"""``manage.py deadletter``: nodes whose failure failed their run."""

from __future__ import annotations

from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from celesta.console.management.verbs import VerbCommand
from celesta.engine import bulk
from celesta.runs import queries
from celesta.runs.models import DeadLetter

HEADINGS: Final = ("ID", "STATE", "WORKFLOW", "NODE", "CODE", "ALIKE", "AT", "RUN", "MESSAGE")
DONE: Final = {"retry": "retried", "discard": "discarded"}
#: Characters of a message in the table.
SAID: Final = 60


class Command(VerbCommand):
    """List, retry and discard dead letters."""

    help = "List, retry and discard dead letters: nodes whose failure failed their run."
    verbs = {
        "list": "list dead letters, newest first",
        "retry": "run again from the nodes that failed",
        "discard": "let them rest",
    }

    def arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one verb."""
        if verb == "list":
            parser.add_argument("--state", choices=list(DeadLetter.State), help="by default all")
            parser.add_argument("--limit", type=int, default=20)
        else:
            parser.add_argument("ids", nargs="*", type=int, help="numbers of dead letters")
            parser.add_argument("--yes", action="store_true", help="do it; else only count")
        parser.add_argument("--workflow", help="name of a workflow")
        parser.add_argument("--code", help="code of the error")
        parser.add_argument("--alike", metavar="FINGERPRINT", help="failures like this one")
        if verb == "discard":
            parser.add_argument("--reason", default="", help="kept with them")

    def do_list(self, *, state: str | None, limit: int, **options: Any) -> None:
        """The newest dead letters of the workspace."""
        rows = self._filtered(options)
        rows = rows.filter(state=state) if state else rows
        found = [_told(letter) for letter in rows[: max(limit, 1)]]
        if self.terminal.as_json:
            self.terminal.value(found)
            return
        shown = [[*list(row.values())[:8], str(row["message"])[:SAID]] for row in found]
        self.terminal.table(list(HEADINGS), shown)

    def do_retry(self, **options: Any) -> None:
        """Retry those of the given numbers, or all that match."""
        self._do("retry", "", options)

    def do_discard(self, *, reason: str, **options: Any) -> None:
        """Discard those of the given numbers, or all that match."""
        self._do("discard", reason, options)

    def _do(self, verb: str, reason: str, options: dict[str, Any]) -> None:
        rows, ids = self._filtered(options), options["ids"]
        filtered = any(options[name] for name in ("workflow", "code", "alike"))
        if not ids and not filtered:
            raise CommandError("Say which: numbers, --workflow, --code or --alike.")
        # By number, those that were decided on are told; by filter, they are passed over.
        rows = rows.filter(pk__in=ids) if ids else rows.filter(state=DeadLetter.State.OPEN)
        number, more = bulk.count(rows)
        if not ids and not options["yes"]:
            self.terminal.line(f"{number}{'+' * more} would be {DONE[verb]}; add --yes to do it")
            return
        act = bulk.letter_verb(verb, principal=self.principal, reason=reason, trigger="cli")
        outcomes, cursor, left = [], None, True
        while left:
            done = bulk.apply(rows, act, after=cursor)
            outcomes += done.outcomes
            cursor, left = done.cursor, done.cursor is not None
        self._report(verb, outcomes)

    def _report(self, verb: str, outcomes: list[bulk.Outcome]) -> None:
        if self.terminal.as_json:
            self.terminal.value([
                {"id": one.id, "code": one.code, "detail": one.detail,
                 "run": None if one.run is None else str(one.run)}
                for one in outcomes
            ])  # fmt: skip
        for one in outcomes:
            what = f"{verb} {one.id}:"
            if one.code is None:
                self.terminal.line(f"{what} {f'run {one.run}' if one.run else 'done'}")
            else:
                self.terminal.line(f"{what} refused: {one.detail} [{one.code}]")
        refused = sum(one.code is not None for one in outcomes)
        if refused or not outcomes:
            raise CommandError(f"{refused} of {len(outcomes)} refused." if outcomes else "None is.")

    def _filtered(self, options: dict[str, Any]) -> QuerySet[DeadLetter]:
        rows = queries.dead_letters(self.principal).filter(workspace=self.workspace)
        names = {"workflow": "workflow__name", "code": "code", "alike": "fingerprint"}
        wanted = {path: options[name] for name, path in names.items() if options[name]}
        return rows.filter(**wanted)


def _told(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.pk,
        "state": letter.state,
        "workflow": letter.workflow.name,
        "node": letter.name,
        "code": letter.code,
        "fingerprint": letter.fingerprint,
        "at": letter.at,
        "run": str(letter.run_id),
        "message": letter.message,
        "retried_as": None if letter.retried_as is None else str(letter.retried_as),
        "decided_by": letter.decided_by,
        "reason": letter.reason,
    }
