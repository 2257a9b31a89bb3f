"""Who is calling: a token in the Authorization header, or the session of our pages (with CSRF)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from celesta.access import tokens
from celesta.access.errors import TokenUnknown
from celesta.access.principals import Principal, for_user


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer celesta_...``; another scheme is left to whoever understands it."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        """The token's user and principal; raises an AccessError of status 401 for a bad token."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        secret = secret.strip()
        if not secret.startswith(tokens.PREFIX):
            raise TokenUnknown(f"The bearer token is not one of Celesta's ({tokens.PREFIX}...).")
        token, principal = tokens.authenticate(secret)
        return token.user, principal

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


class PageAuthentication(SessionAuthentication):
    """The signed-in user of a page; unsafe methods need Django's CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        """The session's user and principal, or None."""
        found = super().authenticate(request)
        return (found[0], for_user(found[0])) if found else None


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema tells of tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "celesta_..."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema tells of sessions."""

    target_class = PageAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The security scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
