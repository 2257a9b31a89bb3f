"""Our pages inside the admin's frame: its header, its menu, its theme, stock or Unfold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from celesta.access.errors import AccessError
from celesta.console import theme
from celesta.console.bases import WITH_UNFOLD
from celesta.graph.problems import Problem
from celesta.runs.errors import EngineError
from celesta.workflows.errors import WorkflowError

BUILT: Final = Path(__file__).parent / "static" / "celesta" / "built"
Refusal = AccessError | EngineError | WorkflowError


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    title: str,
    section: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render a page. ``section`` is the entry of our own menu that is marked as open."""
    frame = {
        **admin.site.each_context(request),
        "title": title,
        "section": section,
        "with_unfold": WITH_UNFOLD,
        "with_own_menu": not theme.in_use(),
        **context,
    }
    return render(request, f"celesta_console/{template}", frame, status=status)


def fragment(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """Render a part of a page, for a script that puts it in place."""
    return render(request, f"celesta_console/{template}", dict(context))


def pages_built() -> bool:
    """Whether what is built from frontend/ is there; without it our pages do without."""
    return (BUILT / "editor.js").exists()


def refused(request: HttpRequest, error: Refusal) -> HttpResponse:
    """The page that says why something was not done, with the code that programs see too."""
    problems: list[Problem] = getattr(error, "problems", [])
    context = {"error": error, "problems": problems}
    return show(request, "refused.html", context, title="That was refused", status=error.status)


def wants_fragment(request: HttpRequest) -> bool:
    """True for requests of our own scripts, which put the answer into an open page."""
    return request.headers.get("X-Celesta-Fragment") == "1"
