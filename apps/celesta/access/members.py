"""Who belongs to a workspace, and as what."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from celesta.access.errors import UserUnknown
from celesta.access.models import Membership, Role, Workspace


def add(workspace: Workspace, username: str, role: Role) -> Membership:
    """Make the user of that name a member.

    Raises UserUnknown, and IntegrityError for whoever is a member already.
    """
    return Membership.objects.create(workspace=workspace, user=user_named(username), role=role)


def find(workspace: Workspace, username: str) -> Membership | None:
    """The membership of the user of that name."""
    named = {f"user__{get_user_model().USERNAME_FIELD}": username}
    return Membership.objects.filter(workspace=workspace, **named).select_related("user").first()


def change(membership: Membership, role: Role) -> Membership:
    """Give the member another role, from the next call on; tokens have no more than that."""
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


def user_named(username: str) -> Any:
    """The user who signs in by that name; raises UserUnknown."""
    users = get_user_model()
    found = users._default_manager.filter(**{users.USERNAME_FIELD: username}).first()
    if found is None:
        raise UserUnknown(f"There is no user {username!r}; members need an account first.")
    return found
