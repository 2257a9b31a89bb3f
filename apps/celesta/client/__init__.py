"""A small client of the API: ``from celesta.client import Celesta``. It needs httpx, not Django."""

from __future__ import annotations

from celesta.client.client import Celesta
from celesta.client.errors import (
    CelestaError,
    Conflict,
    Denied,
    Invalid,
    NotAuthenticated,
    NotFound,
    ServerFault,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from celesta.client.runs import FINAL, RunRefused

__all__ = [
    "FINAL",
    "Celesta",
    "CelestaError",
    "Conflict",
    "Denied",
    "Invalid",
    "NotAuthenticated",
    "NotFound",
    "RunRefused",
    "ServerFault",
    "TooManyRequests",
    "Unavailable",
    "Unreachable",
]
