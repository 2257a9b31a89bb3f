"""Making and changing the variables of a workspace."""

from __future__ import annotations

from typing import Any

from django.db.models import JSONField, Value

from celesta.access.models import Workspace
from celesta.vault.models import Variable


def values(workspace: Workspace) -> dict[str, Any]:
    """What expressions of this workspace read as ``vars``."""
    return dict(Variable.objects.filter(workspace=workspace).values_list("name", "value"))


def create(workspace: Workspace, name: str, value: Any, description: str = "") -> Variable:
    """A new variable with any JSON value; raises IntegrityError when the name is taken."""
    row = Variable(workspace=workspace, name=name)
    return _stored(row, value, description)


def change(variable: Variable, value: Any, description: str = "") -> Variable:
    """Give the variable another value; nodes that are still to run read it."""
    return _stored(variable, value, description)


def _stored(variable: Variable, value: Any, description: str) -> Variable:
    # A plain None would be stored as SQL's NULL, which is no value at all.
    variable.value = Value(None, JSONField()) if value is None else value
    variable.description = description
    variable.save()
    variable.value = value
    return variable
