"""What the functions of :mod:`celesta.runs.transitions` are given, and what they answer.

Durations are in seconds; what is in JSON already is a ``str``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class VersionKey(NamedTuple):
    """Which version that is, also among databases: primary keys begin again after a restore."""

    pk: int
    checksum: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a start writes. ``deadline`` is in seconds from now."""

    id: UUID
    workspace: int
    workflow: int
    version: int
    params: dict[str, Any]
    key: str | None = None
    digest: str = ""
    trigger: str = "api"
    trigger_ref: str = ""
    by: str = ""
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class NewOfMany:
    """One of many runs: ``slot`` is the instant that it is for, ``slot_from`` the one before."""

    id: UUID
    params: dict[str, Any]
    key: str | None
    digest: str
    slot: datetime | None = None
    slot_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewRuns:
    """What ``start_many`` writes: runs of one version. ``deadline`` is in seconds from now."""

    workspace: int
    workflow: int
    version: int
    runs: Sequence[NewOfMany]
    trigger: str
    trigger_ref: str
    by: str
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class KeptNodes:
    """Nodes of a new run that do not run: as ``old`` in the run ``of``, or with a given output."""

    of: UUID | None
    nodes: Sequence[int]
    old: Sequence[int | None]
    states: Sequence[str]
    given: Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """What a start found or made. ``digest`` is of the first request under that key."""

    run: UUID
    digest: str
    created: bool
    sent: tuple[Sent, ...]
    #: When it was written; None when the run was there before.
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """Something released that has to be published: one node, or the lanes of a wave."""

    run: str
    scope: int
    nodes: tuple[int, ...]
    queue: str
    priority: int
    hints: tuple[int, ...]
    wave: int | None = None


@dataclass(frozen=True, slots=True)
class LostHint:
    """A message to be sent again: for one node, or (``wave``) for one lane."""

    id: int
    run: str
    scope: int | None
    node: int | None
    wave: int | None
    queue: str
    priority: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A node run that is now ours. ``inputs`` is None when its expressions read nothing."""

    scope: int
    node: int
    attempt: int
    losses: int
    inputs: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a message: see ``claim_v1.sql`` for the words."""

    answer: str
    version: VersionKey | None = None
    claimed: tuple[Claimed, ...] = ()
    wave: int | None = None
    wave_left: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How one node run ended, or why it waits. ``began`` and ``ended`` are seconds ago.

    ``output`` and ``error`` are JSON text. A node that waits has a ``delay`` in seconds and the
    ``kind`` of its timer.
    """

    scope: int
    node: int
    attempt: int
    state: str
    began: float
    ended: float
    output: str | None = None
    error: str | None = None
    kind: str | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a completion came to: what was refused, what we go on with, what has to be published."""

    answer: str
    refused: tuple[tuple[int, int], ...] = ()
    claimed: tuple[Claimed, ...] = ()
    wave_left: bool = False
    sent: tuple[Sent, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What a slot holds after its call number ``seq``."""

    seq: int
    claimed: tuple[Claimed, ...]
    wave: int | None
