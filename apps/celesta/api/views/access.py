"""Who the caller is, and the tokens of a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access import tokens, workspaces
from celesta.access.models import Role, Token
from celesta.api import asking
from celesta.api.base import BaseView
from celesta.api.pagination import Keyset, page
from celesta.api.refusals import NotFound
from celesta.api.schema.operations import PAGING, operation, page_of
from celesta.api.shapes.access import IssuedToken, Me, NewToken, Rotation, TokenShape

NEWEST_FIRST = Keyset(("id",), descending=True)


class MeView(BaseView):
    """The caller."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})

    @operation("me", "Who am I?", answers={200: Me})
    def get(self, request: Request) -> Response:
        """Say who calls, and what they may do where."""
        me = {
            "name": self.principal.name,
            "workspace": self.workspace.slug,
            "workspaces": self._workspaces(),
        }
        return Response(Me(me).data)

    def _workspaces(self) -> list[dict[str, str]]:
        highest = Role.ADMIN.value
        return [
            {"slug": w.slug, "name": w.name, "role": self.principal.roles.get(w.pk, highest)}
            for w in workspaces.visible_to(self.principal)
        ]


class TokensView(BaseView):
    """The tokens of the workspace."""

    roles = {"GET": Role.ADMIN, "POST": Role.ADMIN}

    @operation(
        "tokens_list", "List tokens, newest first",
        answers={200: page_of(TokenShape)}, parameters=PAGING,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List tokens; their secrets are not kept."""
        return page(request, tokens_of(self), NEWEST_FIRST, _shown)

    @operation(
        "tokens_create", "Create a token that acts for you",
        body=NewToken, answers={201: IssuedToken},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create a token; its secret is in this answer and nowhere else."""
        wanted = asking.body(request, NewToken)
        token, secret = tokens.issue(
            request.user,
            self.workspace,
            Role(wanted["role"]),
            wanted["name"],
            wanted["expires_at"],
            scopes=wanted["scopes"],
            workflows=wanted["workflows"],
        )
        return Response({**TokenShape(token).data, "secret": secret}, 201)


def tokens_of(view: BaseView) -> QuerySet[Token]:
    """The tokens of the view's workspace."""
    return Token.objects.filter(workspace=view.workspace).select_related("user", "workspace")


def _shown(rows: list[Token]) -> Iterable[Any]:
    return TokenShape(rows, many=True).data


class TokenBase(BaseView):
    """Anything about one token."""

    @cached_property
    def token(self) -> Token:
        """The token that the address names; raises NotFound."""
        found = tokens_of(self).filter(pk=min(self.kwargs["token_id"], 2**63 - 1)).first()
        if found is None:
            raise NotFound("There is no such token in this workspace.")
        return found


class TokenView(TokenBase):
    """One token."""

    roles = {"GET": Role.ADMIN, "DELETE": Role.ADMIN}

    @operation("tokens_get", "Read about a token", answers={200: TokenShape})
    def get(self, request: Request, token_id: int) -> Response:
        """Read about a token; its secret is not kept."""
        return Response(TokenShape(self.token).data)

    @operation("tokens_delete", "Delete a token", answers={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        """Delete a token, whoever's it is; from now on it answers 401."""
        self.token.delete()
        return Response(status=204)


class RotateView(TokenBase):
    """Replaces a token by a new one."""

    roles = {"POST": Role.ADMIN}

    @operation(
        "tokens_rotate", "Replace a token of yours by a new one with the same rights",
        body=Rotation, answers={201: IssuedToken},
    )  # fmt: skip
    def post(self, request: Request, token_id: int) -> Response:
        """Make the new token, once; the old one works for ``overlap`` seconds more."""
        body = asking.body(request, Rotation)
        overlap = timedelta(seconds=body["overlap"])
        token, secret = tokens.rotate(self.token, overlap, by=request.user)
        return Response({**TokenShape(token).data, "secret": secret}, 201)
