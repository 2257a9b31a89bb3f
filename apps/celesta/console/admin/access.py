"""Workspaces, memberships and tokens in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.safestring import SafeString

from celesta.access import tokens
from celesta.access.errors import AccessError, TokenOfAnother
from celesta.access.models import Role, Token, Workspace
from celesta.access.scopes import SCOPES
from celesta.console.admin.members import MembershipInline, all_members, is_large
from celesta.console.admin.scoped import ScopedAdmin, principal_of, workspaces_for
from celesta.console.pages import refused, show
from celesta.console.templatetags.celesta_console import when


@admin.register(Workspace)
class WorkspaceAdmin(ScopedAdmin):
    """Superusers make workspaces; their admins give roles in them."""

    list_display = ("name", "slug", "made")
    about = (
        "A workspace keeps workflows, runs, schedules and tokens apart from those of others. "
        "Its members have a role in it: viewer, operator, author, approver or admin."
    )
    search_fields = ("name", "slug")
    ordering = ("slug",)
    prepopulated_fields = {"slug": ("name",)}

    @admin.display(description="Created", ordering="created_at")
    def made(self, workspace: Workspace) -> SafeString | str:
        """When it was made."""
        return when(workspace.created_at)

    @admin.display(description="Members")
    def members(self, workspace: Workspace) -> SafeString:
        """To the list of all of them."""
        return all_members(workspace)

    def get_inlines(self, request: HttpRequest, obj: Workspace | None = None) -> Any:
        """The members, as long as one form can hold them."""
        del request
        return () if obj and is_large(obj) else (MembershipInline,)

    def get_fields(self, request: HttpRequest, obj: Workspace | None = None) -> tuple[str, ...]:
        """And the way to the members, of whom there may be too many for this page."""
        del request
        return ("name", "slug", "members") if obj else ("name", "slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Workspace | None = None) -> Any:
        """What is not written."""
        del request
        return ("members",) if obj else ()

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
        fields = ("name", "workspace", "role", "scopes", "workflows", "expires_at")
        help_texts = {
            "name": "Who will use it. The secret is shown once, when this is saved.",
            "role": "At most this; less when its user's own role is lower.",
            "workflows": "Names of the only workflows that it reaches, with commas between; "
            "all of the workspace when empty.",
            "expires_at": "When empty, it does not expire.",
        }


class RotateForm(forms.Form):
    """How long the secret that is replaced goes on working."""

    overlap = forms.TypedChoiceField(
        label="The old secret works for another",
        choices=[(0, "nothing: it ends now"), (3600, "hour"), (86_400, "day"), (604_800, "week")],
        coerce=int,
        initial=3600,
        help_text="Time to give the new one to every program that has the old one.",
    )


@admin.register(Token)
class TokenAdmin(ScopedAdmin):
    """Tokens, for admins of their workspace as in the API. The secret is shown once."""

    form = TokenForm
    writes = Role.ADMIN
    list_display = (
        "name", "prefix", "user", "workspace", "role", "scopes", "workflows", "made", "expires",
        "last_used", "rotation",
    )  # fmt: skip
    list_filter = ("workspace", "role")
    search_fields = ("name", "prefix")
    ordering = ("-created_at",)
    list_select_related = ("user", "workspace")

    about = (
        "Programs use Celesta with tokens, each with a role and, if you like, a few scopes. "
        "The secret is shown once. Rotate a token to replace it without an interruption."
    )

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and the page that replaces a token."""
        view = self.admin_site.admin_view(self.rotate_view)
        ours = path("<int:token_id>/rotate/", view, name="celesta_access_token_rotate")
        return [ours, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Token | None = None) -> tuple[str, ...]:
        """What is chosen of a new one; of one that is there, all that is known."""
        del request
        if obj is None:
            return TokenForm.Meta.fields
        return (
            "name", "prefix", "user", "workspace", "role", "scopes", "workflows", "made", "expires",
            "last_used", "rotation",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        """All of a token that is there."""
        return self.get_fields(request, obj) if obj else ()

    def rotate_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """Ask how long the old secret goes on; then show the new one, once."""
        rows = self.get_queryset(request).select_related("user", "workspace")
        token = rows.filter(pk=min(token_id, 2**63 - 1)).first()
        if token is None or not self.has_view_permission(request, token):
            raise PermissionDenied
        if token.user_id != request.user.pk:
            return refused(request, TokenOfAnother())
        form = RotateForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            context = {"form": form, "token": token}
            return show(request, "rotate.html", context, title="Rotate token", section="tokens")
        try:
            overlap = timedelta(seconds=form.cleaned_data["overlap"])
            made, secret = tokens.rotate(token, overlap, by=request.user)
        except AccessError as error:
            return refused(request, error)
        self.log_addition(request, made, [{"added": {"name": f"rotated from {token.prefix}"}}])
        answer = show(
            request, "token.html", {"token": made, "secret": secret, "before": token},
            title="New token", section="tokens",
        )  # fmt: skip
        patch_cache_control(answer, no_store=True)
        return answer

    @admin.display(description="Created", ordering="created_at")
    def made(self, token: Token) -> SafeString | str:
        """When it was made."""
        return when(token.created_at)

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, token: Token) -> SafeString | str:
        """When it ends to work."""
        return when(token.expires_at, "never")

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, token: Token) -> SafeString | str:
        """When it was last used, to the minute."""
        return when(token.last_used_at, "never")

    @admin.display(description="Replace it")
    def rotation(self, token: Token) -> SafeString | str:
        """To the page that makes a new secret, for whom the token acts."""
        if token.rotated_at is not None:
            return "has a successor"
        if not getattr(token, "is_mine", False):
            return "by its user"
        address = reverse("admin:celesta_access_token_rotate", args=[token.pk])
        return format_html('<a href="{}">rotate</a>', address)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The tokens of the workspaces of which one is an admin."""
        rows = Token.objects.filter(workspace__in=workspaces_for(request, Role.ADMIN))
        rows = rows.annotate(is_mine=Q(user=request.user.pk))
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
                user,
                obj.workspace,
                Role(obj.role),
                obj.name,
                obj.expires_at,
                scopes=obj.scopes,
                workflows=obj.workflows,
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
