"""Keys for programs: made once, shown once, kept only as a digest.

A token is 256 random bits: nothing can be guessed, so its SHA-256 needs no salt and no stretching.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from celesta.access import scopes as scopes_known
from celesta.access.errors import (
    ExpiryPassed,
    RoleTooLow,
    TokenExpired,
    TokenOfAnother,
    TokenOver,
    TokenRotated,
    TokenUnknown,
    TokenWithoutMember,
)
from celesta.access.models import Role, Token, Workspace
from celesta.access.principals import Principal, for_token, for_user

PREFIX: Final = "celesta_"

#: ``last_used_at`` is exact to this: a busy token does not write its row at each request.
USE_RECORDED_EVERY: Final = timedelta(minutes=1)


def issue(
    user: Any,
    workspace: Workspace,
    role: Role,
    name: str,
    expires: datetime | None = None,
    *,
    scopes: Iterable[str] = (),
    workflows: Iterable[str] = (),
) -> tuple[Token, str]:
    """Make a token that acts for ``user`` (of AUTH_USER_MODEL) in one workspace.

    The secret is returned here and kept nowhere.

    Without ``scopes`` it may do whatever the role allows; with ``workflows`` it reaches only those
    of these names, whether they are there already or not.

    Raises RoleTooLow when the user holds less than ``role`` there, ScopeUnknown, and ExpiryPassed.
    """
    if expires is not None and expires <= timezone.now():
        raise ExpiryPassed
    wanted = scopes_known.checked(scopes)
    if not for_user(user).may(role, workspace.pk):
        raise RoleTooLow(
            f"{user.get_username()} is not {role.value} of workspace {workspace.slug!r}; "
            "give the membership first or ask for a lower role."
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user,
        workspace=workspace,
        role=role,
        name=name,
        prefix=secret[: len(PREFIX) + 4],
        digest=digest(secret),
        expires_at=expires,
        scopes=wanted,
        workflows=sorted(set(workflows)),
    )
    return token, secret


def rotate(token: Token, overlap: timedelta, *, by: Any) -> tuple[Token, str]:
    """A new token in the place of ``token``, which goes on for ``overlap`` and no longer.

    A token is rotated once: a second time would end its old secret sooner than was promised, and
    leave a successor that nobody has. Raises TokenOfAnother unless ``by`` is its user, RoleTooLow
    when that user no longer holds its role, TokenOver when it has expired, and TokenRotated.
    """
    if token.user_id != by.pk:
        raise TokenOfAnother
    now = timezone.now()
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenOver
    ends = now + overlap if token.expires_at is None else min(token.expires_at, now + overlap)
    lives = token.expires_at - token.created_at if token.expires_at else None
    with transaction.atomic():
        rows = Token.objects.filter(pk=token.pk, rotated_at=None)
        if not rows.update(rotated_at=now, expires_at=ends):
            raise TokenRotated
        token.rotated_at, token.expires_at = now, ends
        return issue(
            token.user,
            token.workspace,
            Role(token.role),
            token.name,
            # It lives as long as its forerunner was made for, from now on.
            None if lives is None else now + lives,
            scopes=token.scopes,
            workflows=token.workflows,
        )


def authenticate(secret: str) -> tuple[Token, Principal]:
    """The token of that secret and whom it acts for; raises an AccessError of status 401."""
    tokens = Token.objects.select_related("user", "workspace")
    token = tokens.filter(digest=digest(secret)).first()
    if token is None:
        raise TokenUnknown
    now = timezone.now()
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenExpired
    principal = for_token(token)
    if not principal.roles:
        raise TokenWithoutMember
    _record_use(token, now)
    return token, principal


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def _record_use(token: Token, now: datetime) -> None:
    if token.last_used_at is None or token.last_used_at <= now - USE_RECORDED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
