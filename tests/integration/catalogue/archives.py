"""Archives as tests make, spoil and compare them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from celesta.access.models import Workspace
from celesta.workflows import archive, publishing
from celesta.workflows.models import Workflow

FIRST = """\
# Written by hand; this comment has to survive.
workflow: orders.fulfil
title: Fulfil an order
tags: [shop]
nodes:
  fetch: {type: transform, with: {output: 1}} # here too
"""
SECOND = FIRST.replace("output: 1", "output: 2")
THIRD = FIRST.replace("output: 1", "output: 3")
FIELDS = ("name", "title", "description", "tags", "active", "paused", "draft")


def everything(workspace: Workspace) -> list[Any]:
    """All that an export holds of a workspace."""
    return [
        {
            **{name: getattr(one, name) for name in FIELDS},
            "current": one.current.number if one.current else None,
            "versions": list(
                one.versions.order_by("number").values_list(
                    "number", "checksum", "source", "document", "plan_json", "note"
                )
            ),
        }
        for one in Workflow.objects.filter(workspace=workspace).order_by("name")
    ]


def packed(workspace: Workspace, **options: Any) -> bytes:
    return archive.pack(Workflow.objects.filter(workspace=workspace), **options)


def rewritten(data: bytes, **files: bytes | None) -> bytes:
    """The archive with files added, replaced or (None) left out; ``manifest`` is the manifest."""
    named = {("manifest.json" if name == "manifest" else name): v for name, v in files.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            if info.filename not in named:
                new.writestr(info, old.read(info))
        for name, content in named.items():
            if content is not None:
                new.writestr(name, content)
    return made.getvalue()


def manifest_of(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        found: dict[str, Any] = json.loads(opened.read("manifest.json"))
    return found


def edited(data: bytes, edit: Callable[[dict[str, Any]], Any]) -> bytes:
    manifest = manifest_of(data)
    edit(manifest)
    return rewritten(data, manifest=json.dumps(manifest).encode())


def changed(elsewhere: Workspace, source: str) -> Workflow:
    publishing.publish(elsewhere, source, by=None)
    return Workflow.objects.get(workspace=elsewhere, name="orders.fulfil")
