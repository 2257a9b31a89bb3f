"""What callers do to workspaces, told where the admin tells it: on a row's History page."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from django.apps import apps
from django.db.models import Model
from rest_framework.request import Request

Deed = Literal["added", "changed", "deleted"]

#: The admin's own numbers.
_FLAGS: Final[dict[Deed, int]] = {"added": 1, "changed": 2, "deleted": 3}


def record(
    request: Request, row: Model, deed: Deed, *fields: str, part: Model | None = None
) -> None:
    """Keep that the caller did this to ``row``, or to a ``part`` of it, in words of the admin.

    ``fields`` are those that were changed. Nothing is kept in a project without Django's admin.
    """
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import LogEntry
    from django.contrib.contenttypes.models import ContentType

    user: Any = request.user
    told: dict[str, Any] = {}
    if fields:
        told["fields"] = fields
    if part is not None:
        told |= {"name": str(part._meta.verbose_name), "object": str(part)}
    LogEntry.objects.create(
        user_id=user.pk,
        content_type_id=ContentType.objects.get_for_model(row).pk,
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=_FLAGS["changed" if part is not None else deed],
        change_message=json.dumps([{deed: told}]),
    )
