"""Workflows and runs in the admin's menu: their entries lead to our own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from celesta.access.models import Role
from celesta.console.admin.scoped import ScopedAdmin
from celesta.runs.models import Run
from celesta.workflows.models import Workflow


@admin.register(Workflow)
class WorkflowAdmin(ScopedAdmin):
    """Authored on our own pages: a document with an editor is more than a form."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Our list."""
        del request, extra_context
        return redirect("celesta_console:workflows")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Our editor."""
        del request, form_url, extra_context
        return redirect("celesta_console:workflow-new")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Our page of the workflow."""
        del request, form_url, extra_context
        return redirect("celesta_console:workflow", workflow_id=int(object_id))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Runs keep their workflow: it is deactivated, not deleted."""
        del request, obj
        return False


@admin.register(Run)
class RunAdmin(ScopedAdmin):
    """History: nothing here is written by hand."""

    writes = Role.OPERATOR

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Our list, which never counts its rows."""
        del request, extra_context
        return redirect("celesta_console:runs")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Our page of the run."""
        del request, form_url, extra_context
        return redirect("celesta_console:run", run_id=object_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs are started, not added."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only the engine changes runs."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """History stays; retention removes it."""
        del request, obj
        return False
