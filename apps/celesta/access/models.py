"""Who may see and do what: workspaces, memberships, tokens."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class Workspace(models.Model):
    """A team's own room: every definition, run, schedule, token and artifact belongs to one."""

    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "celesta_workspace"
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do; each role includes the ones before it."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    AUTHOR = "author", "Author"
    APPROVER = "approver", "Approver"
    ADMIN = "admin", "Admin"


class Membership(models.Model):
    """A user's role in a workspace."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="celesta_memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        db_table = "celesta_membership"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="celesta_membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.workspace}"


class Token(models.Model):
    """A key for programs: only its SHA-256 is kept, it acts in one workspace with one role."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tokens")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="celesta_tokens"
    )
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.OPERATOR)
    prefix = models.CharField(max_length=12, help_text="The first letters, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(
        models.CharField(max_length=32),
        default=list,
        blank=True,
        help_text="What it may be used for; everything its role allows when empty.",
    )
    workflows = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Names of the only workflows that it reaches; all of the workspace when empty.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    #: When it got its successor; it has only one.
    rotated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "celesta_token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
