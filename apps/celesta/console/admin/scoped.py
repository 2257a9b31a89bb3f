"""Admin pages that follow workspaces and roles instead of Django's model permissions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import JSONField, Model, QuerySet
from django.http import HttpRequest

from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal, for_user
from celesta.console.bases import LOOK, ModelAdmin
from celesta.console.forms.strict_json import StrictJSON


def principal_of(request: HttpRequest) -> Principal:
    """Who acts; read once for a request."""
    known: Principal | None = getattr(request, "celesta_principal", None)
    if known is None:
        known = for_user(request.user)
        request.celesta_principal = known  # type: ignore[attr-defined]
    return known


def workspaces_for(request: HttpRequest, role: Role) -> QuerySet[Workspace]:
    """The workspaces in which the signed-in user holds at least that role."""
    principal = principal_of(request)
    rows = Workspace.objects.order_by("slug")
    if principal.everywhere:
        return rows
    return rows.filter(pk__in=[pk for pk in principal.workspace_ids if principal.may(role, pk)])


class ScopedAdmin(ModelAdmin):  # type: ignore[misc]  # one of two bases, chosen when loaded
    """Rows of one's workspaces: members see them, ``writes`` is the role that changes them."""

    writes: ClassVar[Role] = Role.AUTHOR
    #: What the list is for, told above it (Unfold only).
    about: ClassVar[str] = ""
    list_before_template = "celesta_console/_about.html"
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only rows of the workspaces in which the user has a role."""
        rows: QuerySet[Any] = self.model.objects.visible_to(principal_of(request))
        return rows.order_by(*self.get_ordering(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Members see the section."""
        principal = principal_of(request)
        return principal.everywhere or bool(principal.roles)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Members see their rows."""
        return self._may(request, Role.VIEWER, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may write in some workspace may add."""
        return workspaces_for(request, self.writes).exists()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may write in the row's workspace may change it."""
        return self._may(request, self.writes, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may write in the row's workspace may delete it."""
        return self._may(request, self.writes, obj)

    def _may(self, request: HttpRequest, role: Role, obj: Model | None) -> bool:
        principal = principal_of(request)
        if obj is None:
            return principal.everywhere or any(principal.may(role, pk) for pk in principal.roles)
        return principal.may(role, obj.workspace_id)  # type: ignore[attr-defined]

    def formfield_for_foreignkey(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only workspaces in which the user may write, and rows of those."""
        if field.name == "workspace":
            kwargs["queryset"] = workspaces_for(request, self.writes)
        elif hasattr(field.related_model.objects, "visible_to"):
            kwargs["queryset"] = field.related_model.objects.visible_to(principal_of(request))
        return super().formfield_for_foreignkey(field, request, **kwargs)

    def formfield_for_dbfield(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Strict JSON; a choice of rows, without a menu to make, change or delete them here."""
        if isinstance(field, JSONField):
            kwargs["form_class"] = StrictJSON
        found = super().formfield_for_dbfield(field, request, **kwargs)
        for verb in ("add", "change", "delete", "view"):
            if hasattr(getattr(found, "widget", None), f"can_{verb}_related"):
                setattr(found.widget, f"can_{verb}_related", False)
        return found

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The only workspace there is to choose is chosen."""
        some = list(workspaces_for(request, self.writes)[:2])
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"workspace": some[0].pk, **initial} if len(some) == 1 else initial

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete one by one, by the same way as a single one, where the role allows it."""
        for row in queryset:
            if self.has_delete_permission(request, row):
                self.delete_model(request, row)

    @property
    def media(self) -> Any:
        """The admin's own and our look."""
        return super().media + LOOK
