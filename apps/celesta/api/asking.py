"""What is asked: each query parameter is known and means something, and so is each body read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from celesta.api.refusals import InvalidQuery
from celesta.api.shapes.fields import YEARS, Strict
from celesta.graph.problems import Problem

#: Digits of the numbers that are read.
LONGEST_NUMBER: Final = 20


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raise InvalidQuery for an unknown parameter: a misspelt filter would show too much."""
    names = sorted(known)
    problems = [
        Problem(
            "unknown_parameter", name, f"There is no parameter {name!r} here.", _near(name, names)
        )
        for name in request.query_params
        if name not in names
    ]
    if problems:
        raise InvalidQuery(f"{problems[0].message} Known: {', '.join(names)}.", problems)


def body(request: Request, shape: type[Strict]) -> dict[str, Any]:
    """The fields of a body, with defaults for what it leaves out; ValidationError tells all that
    is wrong."""
    read = shape(data=request.data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def _near(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, 1)
    return f"Did you mean {near[0]!r}?" if near else ""


def fields(request: Request, known: Sequence[str]) -> list[str]:
    """The fields named by ``fields``, none when it is not there; raises InvalidQuery."""
    return words(request, "fields", known) if known else []


def words(request: Request, name: str, known: Sequence[str] = ()) -> list[str]:
    """The words of a parameter, with commas between; each must be one of the known ones, if any."""
    text = request.query_params.get(name)
    if not text:
        return []
    found = [part.strip() for part in text.split(",")]
    for word in found if known else ():
        if word not in known:
            raise InvalidQuery(f"{word!r} is no value of {name!r}; known: {', '.join(known)}.")
    return found


def moment(request: Request, name: str) -> datetime | None:
    """The moment in a parameter, None when it is not there; raises InvalidQuery."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise InvalidQuery(f"{name!r} must be a moment such as 2026-11-30T12:00:00Z.")
    if found.year not in YEARS:  # nothing is so old or new, and such moments overflow elsewhere
        return datetime(YEARS[0] if found.year < YEARS[0] else YEARS[-1], 1, 1, tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def whole(request: Request, name: str, default: int, lowest: int, highest: int) -> int:
    """The whole number in a parameter; raises InvalidQuery outside of these bounds."""
    text = request.query_params.get(name, str(default))
    # Longer ones are refused unread, whatever zeros they begin with: Python stops at 4,300 digits.
    readable = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    if not readable or not lowest <= int(text) <= highest:
        raise InvalidQuery(f"{name!r} must be a whole number from {lowest} to {highest}.")
    return int(text)


def number(request: Request, name: str, largest: int) -> int:
    """A whole number, by default 0; a larger one than ``largest`` is that. Raises InvalidQuery."""
    text = request.query_params.get(name, "0")
    if not text.isascii() or not text.isdigit():
        raise InvalidQuery(f"{name!r} must be a whole number.")
    significant = text.lstrip("0") or "0"
    return largest if len(significant) > len(str(largest)) else min(int(significant), largest)


def switch(request: Request, name: str) -> bool | None:
    """True or false, None when it is not there; raises InvalidQuery."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise InvalidQuery(f"{name!r} must be 'true' or 'false'.")
    return text == "true"
