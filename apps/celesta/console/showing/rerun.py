"""What a rerun would run and keep, for the page that asks first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from celesta.console.forms.rerun import RerunForm
from celesta.engine.rerun import foresee
from celesta.runs.errors import EngineError
from celesta.runs.models import Run

#: Names shown; a graph with more is told by their number.
NAMES: Final = 60


@dataclass(frozen=True, slots=True)
class ForeseenRerun:
    """Names of nodes, or what stands against it."""

    again: list[str]
    kept: list[str]
    problem: str = ""

    @property
    def groups(self) -> list[tuple[str, str, list[str], int]]:
        """What is to be shown: a class, a heading, the first names, and how many more."""
        return [
            (look, title, names[:NAMES], max(0, len(names) - NAMES))
            for look, title, names in (
                ("again", "Runs again", self.again),
                ("kept", "Keeps what it ended with", self.kept),
            )
        ]


def foreseen(run: Run, chosen: Mapping[str, Any]) -> ForeseenRerun:
    """What the fields ``mode``, ``nodes`` and ``version`` of RerunForm lead to."""
    form = RerunForm(run, chosen, initial={})
    if not form.is_valid():
        wrong = [
            str(text) for name in ("mode", "nodes", "version") for text in form.errors.get(name, [])
        ]
        if wrong:
            return ForeseenRerun([], [], " ".join(wrong))
    asked = form.asked()
    try:
        seen = foresee(run, mode=asked["mode"], nodes=asked["nodes"], version=asked["version"])
    except EngineError as error:
        told = [" ".join(filter(None, [p.message, p.hint])) for p in error.problems]
        return ForeseenRerun([], [], " ".join(told) or error.detail)
    return ForeseenRerun(seen.again, seen.kept)
