"""Dead letters, and verbs for many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role, Workspace
from celesta.api import asking
from celesta.api.asking import moment
from celesta.api.base import EVERY_METHOD, BaseView
from celesta.api.pagination import Keyset, page
from celesta.api.refusals import InvalidQuery, NotFound
from celesta.api.schema.operations import PAGING, operation, page_of, query
from celesta.api.shapes.dead_letters import (
    LETTER_STATES,
    BulkDone,
    DeadLetterShape,
    LettersBulkBody,
    RunsBulkBody,
)
from celesta.api.shapes.runs import CancelBody, RunDetail
from celesta.api.views.run_verbs import reason_of
from celesta.api.views.runs import started_answer
from celesta.engine import bulk
from celesta.engine import dead_letters as letters
from celesta.engine.rerun import Mode
from celesta.runs import queries
from celesta.runs.models import DeadLetter

NEWEST_FIRST = Keyset(("id",), descending=True)
LAST_ID = 2**63 - 1


class DeadLettersView(BaseView):
    """The dead letters of a workspace."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})

    @operation(
        "deadletters_list", "List dead letters, newest first",
        answers={200: page_of(DeadLetterShape)},
        parameters=[
            *PAGING,
            query("state", f"One of {', '.join(LETTER_STATES)}."),
            query("workflow", "Name of a workflow."),
            query("code", "Code of the error."),
            query("fingerprint", "Failures that are alike."),
            query("since", "Only those at or after this moment.", datetime),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List them with the error and what was decided."""
        asked = request.query_params
        rows = queries.dead_letters(self.principal).filter(workspace=self.workspace)
        if state := asked.get("state"):
            if state not in LETTER_STATES:
                raise InvalidQuery(f"{state!r} is no state; known: {', '.join(LETTER_STATES)}.")
            rows = rows.filter(state=state)
        if workflow := asked.get("workflow"):
            rows = rows.filter(workflow__name=workflow)
        for name in ("code", "fingerprint"):
            if value := asked.get(name):
                rows = rows.filter(**{name: value})
        if since := moment(request, "since"):
            rows = rows.filter(at__gte=since)
        return page(request, rows, NEWEST_FIRST, _shown)


def _shown(rows: list[DeadLetter]) -> Iterable[Any]:
    return DeadLetterShape(rows, many=True).data


class LetterBase(BaseView):
    """Anything about one dead letter, whose id says in which workspace it is."""

    keeps_to_workflows = EVERY_METHOD

    roles = {"POST": Role.OPERATOR}

    @cached_property
    def letter(self) -> DeadLetter:
        """The dead letter; raises NotFound."""
        number: int = self.kwargs["letter_id"]
        rows = queries.dead_letters(self.principal)
        found = rows.filter(pk=number).first() if number <= LAST_ID else None
        if found is None or self.named_workspace not in (None, found.workspace.slug):
            raise NotFound("There is no such dead letter.")
        return found

    @cached_property
    def workspace(self) -> Workspace:
        """The dead letter's workspace."""
        return self.letter.workspace


class LetterRetryView(LetterBase):
    """Tries it again."""

    @operation("deadletters_retry", "Run again from the node that failed", answers={201: RunDetail})
    def post(self, request: Request, letter_id: int) -> Response:
        """Make a run that begins at the node; all that failed in the old run goes with it."""
        return started_answer(self, letters.retry(self.letter, principal=self.principal))


class LetterDiscardView(LetterBase):
    """Lets it rest."""

    @operation(
        "deadletters_discard", "Discard a dead letter",
        body=CancelBody, answers={200: DeadLetterShape},
    )  # fmt: skip
    def post(self, request: Request, letter_id: int) -> Response:
        """Discard it, with a reason."""
        letters.discard(self.letter, by=self.principal.name, reason=reason_of(request))
        self.letter.refresh_from_db()
        return Response(DeadLetterShape(self.letter).data)


class BulkBase(BaseView):
    """A verb for many rows of one workspace: counted, or done a bounded piece at a time."""

    keeps_to_workflows = EVERY_METHOD

    roles = {"POST": Role.OPERATOR}

    def answer(
        self, rows: QuerySet[Any], act: Callable[[Any], Any], asked: dict[str, Any]
    ) -> Response:
        """Count, and unless it is a dry run do the next piece."""
        number, more = bulk.count(rows)
        done = bulk.Done([], None)
        if not asked["dry_run"]:
            done = bulk.apply(rows, act, after=asked["cursor"], limit=asked["limit"])
        outcomes = [
            {
                "id": str(one.id), "done": one.code is None, "code": one.code,
                "detail": one.detail, "run": one.run,
            }
            for one in done.outcomes
        ]  # fmt: skip
        return Response(
            {
                "count": number, "more": more,
                "done": done.done, "refused": len(outcomes) - done.done, "results": outcomes,
                "cursor": None if done.cursor is None else str(done.cursor),
            }
        )  # fmt: skip


class RunsBulkView(BulkBase):
    """Cancels, pauses, resumes or reruns many runs."""

    @operation(
        "runs_bulk_verb", "Cancel, pause, resume or rerun many runs",
        body=RunsBulkBody, answers={200: BulkDone},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Do the verb to the runs that match; what is refused is told, and the next one follows."""
        asked = asking.body(request, RunsBulkBody)
        names = {
            "ids": "pk__in", "state": "state__in", "workflow": "workflow__name",
            "created_after": "created_at__gte", "created_before": "created_at__lt",
        }  # fmt: skip
        rows = queries.runs(self.principal).filter(workspace=self.workspace)
        rows = rows.filter(**{names[name]: value for name, value in asked["filter"].items()})
        act = bulk.run_verb(
            asked["verb"], principal=self.principal, reason=asked["reason"],
            mode=Mode(asked["mode"]),
        )  # fmt: skip
        return self.answer(rows, act, asked)


class LettersBulkView(BulkBase):
    """Retries or discards many dead letters."""

    @operation(
        "deadletters_bulk_verb", "Retry or discard many dead letters",
        body=LettersBulkBody, answers={200: BulkDone},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Do the verb to the open dead letters that match."""
        asked = asking.body(request, LettersBulkBody)
        names = {
            "ids": "pk__in", "workflow": "workflow__name", "code": "code",
            "fingerprint": "fingerprint", "since": "at__gte", "before": "at__lt",
        }  # fmt: skip
        rows = queries.dead_letters(self.principal).filter(workspace=self.workspace, state="open")
        rows = rows.filter(**{names[name]: value for name, value in asked["filter"].items()})
        act = bulk.letter_verb(asked["verb"], principal=self.principal, reason=asked["reason"])
        return self.answer(rows, act, asked)
