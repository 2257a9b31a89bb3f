"""Base classes of our admin pages: Unfold's when it is installed, else the stock ones."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.forms import Media

#: Settled when the apps are loaded; a project switches themes by INSTALLED_APPS only.
WITH_UNFOLD = apps.is_installed("unfold")


def _bases() -> tuple[Any, Any, Any]:
    if not WITH_UNFOLD:
        return admin.ModelAdmin, admin.TabularInline, AdminTextInputWidget
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.widgets import UnfoldAdminTextInputWidget

    return ModelAdmin, TabularInline, UnfoldAdminTextInputWidget


ModelAdmin, TabularInline, TextInput = _bases()

#: Our own look, for admin pages that show our fields.
LOOK = Media(css={"all": ["celesta/frame.css", "celesta/console.css"]}, js=["celesta/frame.js"])
