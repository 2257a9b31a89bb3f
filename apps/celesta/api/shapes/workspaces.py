"""Workspaces and their members on the wire."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from celesta.api.shapes.access import ROLES
from celesta.api.shapes.fields import Instant, Strict, Text


class WorkspaceBody(Strict):
    """What a workspace is called."""

    slug = Text(
        max_length=63,
        validators=[RegexValidator(r"^[-A-Za-z0-9_]+\Z", "Letters, digits, - and _ only.")],
        help_text="What calls name it by.",
    )
    name = Text(max_length=200)


class NewWorkspace(WorkspaceBody):
    """A workspace to be made."""

    members = serializers.DictField(
        child=serializers.ChoiceField(ROLES), default=dict,
        help_text="Roles by names of users; without an admin only superusers can add members.",
    )  # fmt: skip


class WorkspaceShape(serializers.Serializer[Any]):
    """A workspace that the caller sees."""

    slug = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(ROLES, help_text="The caller's.")
    created_at = Instant()


class MemberRole(Strict):
    """What a member may do."""

    role = serializers.ChoiceField(ROLES)


class NewMember(MemberRole):
    """A member to be."""

    user = Text(max_length=254, help_text="The name with which the user signs in.")


class MemberShape(serializers.Serializer[Any]):
    """A member of a workspace."""

    user = serializers.CharField(source="user.get_username")
    role = serializers.ChoiceField(ROLES)
