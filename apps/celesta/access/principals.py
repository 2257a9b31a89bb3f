"""Who acts: a signed-in user, a token, or Celesta itself, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celesta.access.models import Membership, Role, Token

ORDER = [role.value for role in Role]


@dataclass(frozen=True, slots=True)
class Principal:
    """``roles`` maps workspace ids to the role held there; ``everywhere`` is for superusers."""

    name: str
    user_id: Any = None
    roles: Mapping[int, str] = field(default_factory=dict)
    everywhere: bool = False
    #: Its user is a superuser; a token of one acts in its one workspace all the same.
    superuser: bool = False
    #: The token that acts, and its scopes: None for whoever has no such limits.
    token_id: int | None = None
    scopes: frozenset[str] | None = None
    #: Names of the only workflows that are reached: None for whoever has no such limit.
    workflows: frozenset[str] | None = None

    @property
    def workspace_ids(self) -> list[int]:
        """Ids of the workspaces in which anything may be seen."""
        return list(self.roles)

    def may(self, role: Role, workspace_id: int) -> bool:
        """True when the role held in that workspace is at least ``role``."""
        if self.everywhere:
            return True
        held = self.roles.get(workspace_id)
        return held is not None and ORDER.index(held) >= ORDER.index(role.value)

    def may_anywhere(self, role: Role) -> bool:
        """True when the role held in some workspace is at least ``role``."""
        return self.everywhere or any(self.may(role, pk) for pk in self.workspace_ids)


#: Acts for the engine itself and for commands on the host.
SYSTEM = Principal(name="system", everywhere=True, superuser=True)


def for_user(user: Any) -> Principal:
    """The principal of a signed-in user: superusers act everywhere, others as members."""
    if not user.is_authenticated or not user.is_active:
        return Principal(name="anonymous")
    roles = dict(Membership.objects.filter(user=user).values_list("workspace_id", "role"))
    is_super = bool(user.is_superuser)
    return Principal(user.get_username(), user.pk, roles, everywhere=is_super, superuser=is_super)


def for_token(token: Token) -> Principal:
    """The principal of a token: one workspace, the lower of its role and of its user's role there.

    It has no role at all once the user has left the workspace or was disabled.
    """
    owner = for_user(token.user)
    return Principal(
        name=f"{token.user.get_username()} ({token.name})",
        user_id=token.user_id,
        roles=_token_roles(token, owner),
        superuser=owner.superuser,
        token_id=token.pk,
        scopes=frozenset(token.scopes) or None,
        workflows=frozenset(token.workflows) or None,
    )


def _token_roles(token: Token, owner: Principal) -> dict[int, str]:
    if owner.everywhere:
        return {token.workspace_id: token.role}
    held = owner.roles.get(token.workspace_id)
    return {token.workspace_id: min(held, token.role, key=ORDER.index)} if held else {}
