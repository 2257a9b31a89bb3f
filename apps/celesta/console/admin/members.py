"""Members of workspaces in the admin: beside their workspace, and in a list of their own."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from celesta.access.errors import UserUnknown
from celesta.access.members import user_named
from celesta.access.models import Membership, Role, Workspace
from celesta.console.admin.scoped import ScopedAdmin, principal_of, workspaces_for
from celesta.console.bases import TabularInline, TextInput

#: Members that a workspace's own page shows in its form; Django takes a thousand fields in all.
SHOWN: Final = 50


class Username(forms.CharField):
    """A user by the name to sign in with: no list of all users, which not everybody may see."""

    widget = TextInput

    def prepare_value(self, value: Any) -> Any:
        """Show the name of the user that a member is."""
        return value.get_username() if isinstance(value, AbstractBaseUser) else value

    def clean(self, value: Any) -> Any:
        """Find the user."""
        if isinstance(value, AbstractBaseUser):
            return value
        try:
            return user_named(super().clean(value))
        except UserUnknown as error:
            raise ValidationError(error.detail) from error


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # not so at run time
    """A new member by name; of one that is there, the role alone."""

    user = Username(max_length=200, help_text="The name to sign in with.")

    class Meta:
        model = Membership
        fields = ("workspace", "user", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, shown in self.fields.items():  # beside a workspace, lines have no labels
            shown.widget.attrs.setdefault("aria-label", name.capitalize())
        if self.instance.pk:
            self.fields["user"].disabled = True
            self.initial["user"] = self.instance.user


class MembershipInline(TabularInline):  # type: ignore[misc]  # one of two bases
    """Who belongs to a workspace, and as what."""

    model = Membership
    extra = 0
    form = MembershipForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what each line says."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("user", "workspace").order_by("pk")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the workspace sees its members."""
        del obj
        return bool(principal_of(request).roles) or principal_of(request).everywhere

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins of the workspace decide."""
        return obj is not None and principal_of(request).may(Role.ADMIN, obj.pk)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins of the workspace decide; whoever makes a workspace may fill it."""
        return principal_of(request).everywhere or self.has_change_permission(request, obj)

    has_delete_permission = has_change_permission


def is_large(workspace: Workspace) -> bool:
    """True when the members have to be looked at in their own list."""
    return workspace.memberships.count() > SHOWN


def all_members(workspace: Workspace) -> SafeString:
    """A link to the list of a workspace's members."""
    address = reverse("admin:celesta_access_membership_changelist")
    return format_html(
        '<a href="{}?workspace__id__exact={}">{}</a>',
        address,
        workspace.pk,
        workspace.memberships.count(),
    )


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Members, for those who may see their workspace; its admins decide."""

    form = MembershipForm
    writes = Role.ADMIN
    list_display = ("user", "workspace", "role")
    list_filter = ("role", "workspace")
    list_select_related = ("user", "workspace")
    about = (
        "Who belongs to which workspace. A viewer sees everything in it, an operator runs and "
        "repairs, an author writes workflows, an approver decides, an admin gives roles."
    )

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """The name to sign in with, whatever the project's users call it."""
        del request
        return (f"user__{get_user_model().USERNAME_FIELD}", "workspace__slug")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By name."""
        del request
        return (f"user__{get_user_model().USERNAME_FIELD}", "workspace__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of one's workspaces."""
        rows = Membership.objects.filter(workspace__in=workspaces_for(request, Role.VIEWER))
        return rows.order_by(*self.get_ordering(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Somebody belongs elsewhere by another membership."""
        del request
        return ("workspace",) if obj else ()
