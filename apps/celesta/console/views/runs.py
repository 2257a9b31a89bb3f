"""The list of runs: newest first, by cursor, never counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.console.gate import page
from celesta.console.pages import fragment, show, wants_fragment
from celesta.runs.listing import RunFilter
from celesta.runs.models import Run
from celesta.runs.states import TERMINAL_RUN, RunState
from celesta.workflows.models import Workflow

ROWS = 50
#: What the list may be asked for.
ASKED = ("state", "workflow", "workspace", "trigger", "since", "id", "q")
#: Verb: what the question says, the words for done.
BULK_VERBS: Final = {
    "cancel": ("Cancel", "cancelled"),
    "pause": ("Pause", "paused"),
    "resume": ("Resume", "resumed"),
    "rerun": ("Rerun what failed in", "run again"),
}
#: What may have started a run, as the filter offers it.
TRIGGERS = ("api", "console", "cli", "code", "schedule", "manual", "backfill", "rerun")
#: How far back the filter looks.
SINCE = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
#: Seconds after 1970 that a date can still show.
END_OF_TIME = 200_000_000_000


@require_GET
@page
def home(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The first page."""
    return redirect("celesta_console:dashboard")


@require_GET
@page
def runs(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Runs by state, workflow, workspace and the beginning of the id."""
    asked = {name: request.GET.get(name, "") for name in ASKED}
    older, problem = request.GET.get("older", ""), ""
    try:
        found = filter_of(principal, asked).page(ROWS + 1, _place(older))
    except ValueError:
        found, problem = [], "That is no part of a run's id: ids are hexadecimal digits and dashes."
    shown = found[:ROWS]
    kept = urlencode({name: value for name, value in asked.items() if value})
    context = {
        "runs": shown,
        "asked": asked,
        "filters": kept,
        "older": shown[-1].pk if len(found) > ROWS else None,
        "problem": problem,
        "states": list(RunState),
        "triggers": TRIGGERS,
        "since": SINCE,
        "workspaces": workspaces_of(principal),
        "workflow": Workflow.objects.visible_to(principal).filter(pk=_number(asked)).first(),
        "now": timezone.now(),
        "live": not older and any(run.state not in TERMINAL_RUN for run in shown),
        "first": not older,
        "bulk_verbs": BULK_VERBS,
        "may_operate": any(principal.may(Role.OPERATOR, w.pk) for w in workspaces_of(principal)),
    }
    if wants_fragment(request):
        return fragment(request, "_runs.html", context)
    return show(request, "runs.html", context, title="Runs", section="runs")


def workspaces_of(principal: Principal) -> QuerySet[Workspace]:
    """The workspaces that a principal may see."""
    rows = Workspace.objects.order_by("slug")
    return rows if principal.everywhere else rows.filter(pk__in=principal.workspace_ids)


def filter_of(principal: Principal, asked: dict[str, str]) -> RunFilter:
    """What the list of runs is asked for, by the names of ASKED."""
    spaces = workspaces_of(principal)
    if asked["workspace"]:
        spaces = spaces.filter(slug=asked["workspace"].replace("\x00", ""))
    seen = tuple(spaces.values_list("pk", flat=True))
    flows = Workflow.objects.filter(pk=_number(asked), workspace_id__in=seen)
    return RunFilter(
        workspaces=seen,
        # A workflow that cannot be seen has no runs: -1 is none.
        workflows=tuple(flows.values_list("pk", flat=True)) or (-1,) if asked["workflow"] else (),
        states=(asked["state"],) if asked["state"] in list(RunState) else (),
        triggers=(asked["trigger"],) if asked["trigger"] in TRIGGERS else (),
        created_after=_since(asked["since"]),
        id_prefix=asked["id"].strip(),
        text=asked["q"].strip().replace("\x00", ""),
    )


def is_understood(asked: dict[str, str]) -> bool:
    """False when a word is none that the filter knows: the list leaves it out, and shows more."""
    known = {"state": list(RunState), "trigger": TRIGGERS, "since": SINCE}
    return all(not asked[name] or asked[name] in words for name, words in known.items())


def _since(text: str) -> datetime | None:
    return timezone.now() - SINCE[text] if text in SINCE else None


def _place(older: str) -> tuple[datetime, UUID] | None:
    """Where the page begins: after the run of that id; ValueError when it can be none."""
    if not older:
        return None
    pk = UUID(older)
    at = Run.objects.filter(pk=pk).values_list("created_at", flat=True).first()
    # A run deleted meanwhile left its time in its id (UUIDv7: milliseconds in the first 48 bits).
    return at or datetime.fromtimestamp(min((pk.int >> 80) / 1000, END_OF_TIME), UTC), pk


def _number(asked: dict[str, str]) -> int:
    text = asked["workflow"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
