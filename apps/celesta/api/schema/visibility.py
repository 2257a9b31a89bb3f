"""Keeping our addresses out of the project's own OpenAPI document."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema

#: True while our own document is being made.
MAKING_OURS: Final = ContextVar("MAKING_OURS", default=False)


class OursOnly(AutoSchema):
    """The schema of our views: absent, hence skipped, when somebody else's document is made.

    A project that describes its API with drf-spectacular must not find ours in it, nor warnings
    about names that both use.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        """None to everybody but ourselves."""
        return super().__get__(instance, owner) if MAKING_OURS.get() else None
