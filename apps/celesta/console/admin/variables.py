"""Variables in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from celesta.console.admin.scoped import ScopedAdmin
from celesta.console.showing.times import pretty
from celesta.console.templatetags.celesta_console import when
from celesta.vault.models import Variable


@admin.register(Variable)
class VariableAdmin(ScopedAdmin):
    """Plain values, by name; authors change them."""

    list_display = ("name", "shown_value", "workspace", "description", "changed")
    about = (
        "Values that many workflows read, such as addresses: expressions say vars.<name>. "
        "Any JSON value; secrets do not belong here."
    )
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    ordering = ("name",)
    list_select_related = ("workspace",)

    @admin.display(description="Changed", ordering="updated_at")
    def changed(self, variable: Variable) -> SafeString | str:
        """When it was last written."""
        return when(variable.updated_at)

    @admin.display(description="Value")
    def shown_value(self, variable: Variable) -> str:
        """The value on one line."""
        return Truncator(" ".join(pretty(variable.value).split())).chars(80)
