"""Variables in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.text import Truncator

from celesta.console.admin.scoped import ScopedAdmin
from celesta.console.showing.times import pretty
from celesta.vault.models import Variable


@admin.register(Variable)
class VariableAdmin(ScopedAdmin):
    """Plain values, by name; authors change them."""

    list_display = ("name", "shown_value", "workspace", "description", "updated_at")
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    ordering = ("name",)
    list_select_related = ("workspace",)

    @admin.display(description="Value")
    def shown_value(self, variable: Variable) -> str:
        """The value on one line."""
        return Truncator(" ".join(pretty(variable.value).split())).chars(80)
