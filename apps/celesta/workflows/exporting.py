"""A published document as text again; published once more it has the same checksum."""

from __future__ import annotations

import json
from typing import Any

from celesta import conf
from celesta.graph import documents
from celesta.graph.document_form import normalise
from celesta.graph.python_source import python_source
from celesta.workflows.models import WorkflowVersion


def ordered_document(version: WorkflowVersion) -> dict[str, Any]:
    """The normalised document, its keys in the order in which the author wrote them.

    The stored form has lost that order: PostgreSQL's jsonb keeps none.
    """
    # The limit may have been lowered since the version was published.
    limit = max(conf.get("DEFINITION_MAX_BYTES"), len(version.source) * 4)
    return normalise(documents.load(version.source, max_bytes=limit).data)


def as_yaml(version: WorkflowVersion) -> str:
    """The document as YAML."""
    return documents.dump(ordered_document(version))


def as_python(version: WorkflowVersion) -> str:
    """Python source that builds the document with ``celesta.graph.dsl``."""
    return python_source(ordered_document(version))


def as_json(version: WorkflowVersion) -> str:
    """The document as indented JSON."""
    return json.dumps(ordered_document(version), indent=2, ensure_ascii=False) + "\n"
