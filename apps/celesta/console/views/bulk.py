"""Dead letters, and verbs for many rows: counted on the page that asks, then done in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.console.gate import page, require
from celesta.console.pages import show
from celesta.console.views.run_verbs import reason_of
from celesta.console.views.runs import (
    ASKED,
    BULK_VERBS,
    filter_of,
    is_understood,
    workspaces_of,
)
from celesta.engine import bulk
from celesta.engine.rerun import Mode
from celesta.runs import queries
from celesta.runs.models import DeadLetter

ROWS: Final = 50
#: Of the largest 64-bit number; ids are read when they have fewer.
DIGITS: Final = 19
LETTER_VERBS: Final = {"retry": ("Retry", "retried"), "discard": ("Discard", "discarded")}
LETTER_FILTERS: Final = ("state", "workflow", "code", "alike")


@require_GET
@page
def dead_letters(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The dead letters, the newest first; those that are open unless others are asked for."""
    asked = {name: request.GET.get(name, "") for name in LETTER_FILTERS}
    asked["state"] = request.GET.get("state", "open")
    rows = _letters(principal, asked)
    older = request.GET.get("older", "")
    if before := _id(older):
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: ROWS + 1])
    kept = urlencode({name: value for name, value in asked.items() if value or name == "state"})
    context = {
        "letters": found[:ROWS],
        "older": found[ROWS - 1].pk if len(found) > ROWS else None,
        "asked": asked,
        "filters": kept,
        "states": list(DeadLetter.State),
        "may_operate": any(principal.may(Role.OPERATOR, w.pk) for w in workspaces_of(principal)),
        "narrowed": any(asked[name] for name in ("workflow", "code", "alike")),
    }
    return show(request, "dead_letters.html", context, title="Dead letters", section="dead letters")


def _letters(principal: Principal, asked: dict[str, str]) -> QuerySet[DeadLetter]:
    names = {"workflow": "workflow__name", "code": "code", "alike": "fingerprint"}
    rows = queries.dead_letters(principal)
    if asked["state"] in list(DeadLetter.State):
        rows = rows.filter(state=asked["state"])
    return rows.filter(
        **{path: asked[name].replace("\x00", "") for name, path in names.items() if asked[name]}
    )


@require_http_methods(["GET", "POST"])
@page
def letters_bulk(request: HttpRequest, principal: Principal, verb: str) -> HttpResponse:
    """Retry or discard the chosen dead letters, or all open ones that match."""
    if verb not in LETTER_VERBS:
        raise Http404
    asked = {name: request.GET.get(name, "") for name in LETTER_FILTERS}
    rows = _letters(principal, {**asked, "state": DeadLetter.State.OPEN})
    if _by_hand(request):
        chosen = request.GET.getlist("chosen")[:1000]
        rows = rows.filter(pk__in=[number for text in chosen if (number := _id(text))])
    act = bulk.letter_verb(verb, principal=principal, reason=reason_of(request), trigger="console")
    return _asked(
        request, principal, rows, act,
        words=LETTER_VERBS[verb], what="dead letter", back="celesta_console:dead-letters",
        place=_id, with_reason=verb == "discard",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@page
def runs_bulk(request: HttpRequest, principal: Principal, verb: str) -> HttpResponse:
    """Cancel, pause, resume or rerun the runs of the list as it was filtered."""
    if verb not in BULK_VERBS:
        raise Http404
    asked = {name: request.GET.get(name, "") for name in ASKED}
    try:
        rows = filter_of(principal, asked).narrow(queries.runs(principal))
    except ValueError as error:
        raise Http404 from error
    if not is_understood(asked) or set(request.GET) - {*ASKED, "chosen", "of"}:
        rows = rows.none()  # a misspelt filter would do it to too many
    if _by_hand(request):
        rows = rows.filter(pk__in=_uuids(request.GET.getlist("chosen")))
    act = bulk.run_verb(
        verb, principal=principal, reason=reason_of(request), mode=Mode.FAILED, trigger="console"
    )
    return _asked(
        request, principal, rows, act,
        words=BULK_VERBS[verb], what="run", back="celesta_console:runs",
        place=_uuid, with_reason=verb in ("cancel", "pause"),
    )  # fmt: skip


def _id(text: str) -> int | None:
    """The id of a dead letter; None for what can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS else None


def _by_hand(request: HttpRequest) -> bool:
    """Whether only rows that were ticked are meant: without a single tick, none at all."""
    return bool(request.GET.getlist("chosen")) or request.GET.get("of") == "chosen"


def _uuid(text: str) -> UUID | None:
    """The id of a run; None for what can be none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _uuids(texts: list[str]) -> list[UUID]:
    return [found for text in texts[:1000] if (found := _uuid(text))]


def _place(request: HttpRequest, name: str, read: Callable[[str], Any]) -> Any:
    """An id that our own form sent along; None when there is none."""
    text = request.POST.get(name, "")
    found = read(text) if text else None
    if text and found is None:
        raise Http404  # not as if nothing were done yet
    return found


def _asked(
    request: HttpRequest,
    principal: Principal,
    rows: QuerySet[Any],
    act: Any,
    *,
    words: tuple[str, str],
    what: str,
    back: str,
    place: Callable[[str], Any],
    with_reason: bool,
) -> HttpResponse:
    """The question with its count; to a POST, a piece of the work, and what is left.

    Done is what was there when it was asked: ids grow with time, and the form tells the newest.
    """
    rows = rows.filter(workspace__in=_operated(principal))
    after, upto = _place(request, "after", place), _place(request, "upto", place)
    if upto is None and request.method == "GET":
        upto = rows.order_by("-pk").values_list("pk", flat=True).first()
    if upto is not None:
        rows = rows.filter(pk__lte=upto)
    number, more = bulk.count(rows)
    context = {
        "verb": words[0], "number": number, "back": back,
        "what": f"{number}{' and more' * more} {_plural(what, number)}",
        "with_reason": with_reason, "reason": reason_of(request), "back_query": _without(request),
        "upto": upto, "unchosen": _by_hand(request) and not request.GET.getlist("chosen"),
    }  # fmt: skip
    if request.method == "POST":
        done = bulk.apply(rows, act, after=after)
        refused = [one for one in done.outcomes if one.code is not None]
        said = f"{done.done} {_plural(what, done.done)} {words[1]}, {len(refused)} refused."
        if done.cursor is None and not refused:
            messages.success(request, said)
            return redirect(back)
        context |= {"said": said, "refused": refused[:50], "cursor": done.cursor}
    title = f"{words[0]} {_plural(what, number)}"
    return show(request, "bulk.html", context, title=title, section="")


def _plural(what: str, number: int) -> str:
    return what if number == 1 else f"{what}s"


def _operated(principal: Principal) -> list[int]:
    """The workspaces in which the principal operates; raises RoleTooLow when there is none."""
    seen = list(workspaces_of(principal))
    found = [one.pk for one in seen if principal.may(Role.OPERATOR, one.pk)]
    if not found:
        require(principal, Role.OPERATOR, seen[0] if seen else Workspace(slug="default"))
    return found


def _without(request: HttpRequest) -> str:
    kept = ((k, v) for k, values in request.GET.lists() for v in values)
    return urlencode([(k, v) for k, v in kept if k not in ("chosen", "of")])
