"""Counting calls: by token, by user, and by address of those who are neither."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from celesta import conf
from celesta.access import throttling
from celesta.access.errors import AccessError
from celesta.access.principals import Principal


def count(request: Request) -> None:
    """Count a call; raises Throttled, with the seconds to wait, when there were too many."""
    who, limit = _caller(request)
    if wait := throttling.wait_for(who, conf.get(limit)):
        raise Throttled(wait=wait)


def _caller(request: Request) -> tuple[str, str]:
    try:
        auth: Any = request.auth
        principal: Principal | None = auth
    except (AccessError, APIException):  # a token that is none: asking tells it again
        principal = None
    if principal is None:
        return f"address:{request.META.get('REMOTE_ADDR', '')}"[:80], "THROTTLE_ADDRESS"
    if principal.token_id is not None:
        return f"token:{principal.token_id}", "THROTTLE_TOKEN"
    return f"user:{principal.user_id}"[:80], "THROTTLE_TOKEN"
