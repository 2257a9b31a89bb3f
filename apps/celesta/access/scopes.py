"""What a token may be used for, beside the role that it has: a narrower key for one purpose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from celesta.access.errors import ScopeMissing, ScopeUnknown

READ: Final = "read"
WRITE: Final = "write"
#: Everything that the role allows; a token without scopes may do that too.
ADMIN: Final = "admin"

AREAS: Final = ("runs", "workflows", "schedules", "variables")
SCOPES: Final = (*(f"{area}:{verb}" for area in AREAS for verb in (READ, WRITE)), ADMIN)

#: Which part of the API belongs to which area; what is in none needs no scope to be read.
_AREA_OF: Final = {
    **{area: area for area in AREAS},
    "deadletters": "runs",
    "versions": "workflows",
    "drafts": "workflows",
    "templates": "workflows",
    "workflow": "workflows",
    "backfills": "schedules",
    "backfill": "schedules",
}
_OPEN: Final = ("me", "workspaces", "node-types", "node", "overview", "cluster")


def checked(scopes: Iterable[str]) -> list[str]:
    """The scopes in their usual order, each once; raises ScopeUnknown."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(SCOPES)):
        raise ScopeUnknown(f"{unknown[0]!r} is no scope; known: {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in wanted]


def demand(held: Iterable[str] | None, tag: str, *, writes: bool) -> None:
    """Raise ScopeMissing when these scopes (None: no limits) do not reach a part of the API."""
    if held is None or ADMIN in held:
        return
    if tag in _OPEN and not writes:
        return
    area = _AREA_OF.get(tag)
    # What is in no area, tokens above all, is for unlimited tokens: new parts begin closed.
    needed = f"{area}:{WRITE if writes else READ}" if area else ADMIN
    enough = {needed, f"{area}:{WRITE}"}  # who may write may read
    if not enough & set(held):
        raise ScopeMissing(f"This needs the scope {needed!r}, which the token does not have.")
