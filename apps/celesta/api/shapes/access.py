"""Variables, tokens and the caller on the wire."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from celesta.access.models import Role
from celesta.access.scopes import SCOPES
from celesta.api.shapes.fields import AnyJSON, Instant, Strict, Text, Whole
from celesta.stored_json import check_storable

ROLES = [role.value for role in Role]


class VariableValue(Strict):
    """What a variable is set to."""

    value = AnyJSON(validators=[check_storable])
    description = Text(default="", allow_blank=True, max_length=500)


class NewVariable(VariableValue):
    """A variable to be made."""

    name = Text(
        max_length=100,
        validators=[RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*\Z", "Letters, digits and _ only.")],
        help_text="Read in expressions as vars.<name>.",
    )


class VariableShape(serializers.Serializer[Any]):
    """A variable of the workspace."""

    name = serializers.CharField()
    value = AnyJSON()
    description = serializers.CharField(allow_blank=True)
    updated_at = Instant()


class NewToken(Strict):
    """A token to be made for the caller."""

    name = Text(max_length=200)
    role = serializers.ChoiceField(ROLES, default=Role.OPERATOR.value)
    expires_at = Instant(default=None, allow_null=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(SCOPES), default=list,
        help_text="What it may be used for; everything its role allows when empty.",
    )  # fmt: skip
    workflows = serializers.ListField(
        child=Text(max_length=200), default=list, max_length=1000,
        help_text="Names of the only workflows that it reaches; all when empty.",
    )  # fmt: skip


class Rotation(Strict):
    """What a rotation takes."""

    overlap = Whole(
        default=3600, min_value=0, max_value=30 * 86_400,
        help_text="Seconds for which the old token still works.",
    )  # fmt: skip


class TokenShape(serializers.Serializer[Any]):
    """A token, without its secret."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    user = serializers.CharField(source="user.get_username")
    role = serializers.ChoiceField(ROLES)
    scopes = serializers.ListField(child=serializers.CharField())
    workflows = serializers.ListField(child=serializers.CharField())
    prefix = serializers.CharField(help_text="The first letters, to recognise it by.")
    created_at = Instant()
    expires_at = Instant(allow_null=True)
    last_used_at = Instant(allow_null=True)
    rotated_at = Instant(allow_null=True, help_text="When it got its successor.")


class IssuedToken(TokenShape):
    """A token just made: the only time its secret is shown."""

    secret = serializers.CharField()


class WorkspaceRole(serializers.Serializer[Any]):
    """A workspace and the caller's role in it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()


class Me(serializers.Serializer[Any]):
    """Who the caller is to Celesta."""

    name = serializers.CharField()
    workspace = serializers.CharField(help_text="What calls without a workspace are about.")
    workspaces = WorkspaceRole(many=True)
