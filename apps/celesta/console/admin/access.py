"""Workspaces, memberships and tokens in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from celesta.access import tokens
from celesta.access.errors import AccessError
from celesta.access.models import Membership, Role, Token, Workspace
from celesta.access.scopes import SCOPES
from celesta.console.admin.scoped import ScopedAdmin, principal_of, workspaces_for
from celesta.console.bases import TabularInline
from celesta.console.pages import show


class MembershipInline(TabularInline):  # type: ignore[misc]  # one of two bases
    """Who belongs to a workspace, and as what."""

    model = Membership
    extra = 0
    autocomplete_fields = ()
    raw_id_fields = ("user",)

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


@admin.register(Workspace)
class WorkspaceAdmin(ScopedAdmin):
    """Superusers make workspaces; their admins give roles in them."""

    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    ordering = ("slug",)
    inlines = (MembershipInline,)
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The workspaces in which the user has a role."""
        return workspaces_for(request, Role.VIEWER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only superusers."""
        return principal_of(request).everywhere

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins of the workspace."""
        return self._holds(request, Role.ADMIN, obj)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Members."""
        return self._holds(request, Role.VIEWER, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only superusers, and the database keeps those that have workflows."""
        del obj
        return principal_of(request).everywhere

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> dict[str, Any]:
        """Only where the slug can be written at all."""
        return dict(self.prepopulated_fields) if self.has_change_permission(request, obj) else {}

    def _holds(self, request: HttpRequest, role: Role, obj: Model | None) -> bool:
        principal = principal_of(request)
        if obj is None:
            return principal.everywhere or any(principal.may(role, pk) for pk in principal.roles)
        return principal.may(role, obj.pk)


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # not so at run time
    """What one chooses of a new token; the rest is made."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What it may be used for; everything its role allows when none is chosen.",
    )

    class Meta:
        model = Token
        fields = ("name", "workspace", "role", "scopes", "expires_at")
        help_texts = {
            "name": "Who will use it. The secret is shown once, when this is saved.",
            "role": "At most this; less when its user's own role is lower.",
            "expires_at": "When empty, it does not expire.",
        }


@admin.register(Token)
class TokenAdmin(ScopedAdmin):
    """Tokens, for admins of their workspace as in the API. The secret is shown once."""

    form = TokenForm
    writes = Role.ADMIN
    list_display = (
        "name", "prefix", "user", "workspace", "role", "scopes", "created_at", "expires_at",
        "last_used_at",
    )  # fmt: skip
    list_filter = ("workspace", "role")
    search_fields = ("name", "prefix")
    ordering = ("-created_at",)
    list_select_related = ("user", "workspace")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The tokens of the workspaces of which one is an admin."""
        rows = Token.objects.filter(workspace__in=workspaces_for(request, Role.ADMIN))
        return rows.order_by(*self.get_ordering(request))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Admins of the workspace."""
        return self._may(request, Role.ADMIN, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A token is never changed: delete it and make another."""
        del request, obj
        return False

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """Issue the token, and keep its secret for the one page that shows it."""
        del form, change
        user: Any = request.user
        try:
            token, secret = tokens.issue(
                user, obj.workspace, Role(obj.role), obj.name, obj.expires_at, scopes=obj.scopes
            )
        except AccessError as error:
            obj.pk = None
            self.message_user(request, error.detail, messages.ERROR)
            return
        obj.pk = token.pk
        request.celesta_secret = secret  # type: ignore[attr-defined]  # for the answer only

    def log_addition(self, request: HttpRequest, obj: Token, message: Any) -> Any:
        """Log only what was made."""
        return super().log_addition(request, obj, message) if obj.pk else None

    def response_add(
        self, request: HttpRequest, obj: Token, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page with the secret: it is kept nowhere, so this is the only time it is shown."""
        del post_url_continue
        secret = getattr(request, "celesta_secret", None)
        if secret is None:
            return redirect("admin:celesta_access_token_add")
        context = {"token": obj, "secret": secret}
        return show(request, "token.html", context, title="New token", section="tokens")
