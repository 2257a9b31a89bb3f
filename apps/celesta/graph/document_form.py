"""The normal form of a document: what two spellings of one workflow have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def normalise(data: Mapping[str, Any]) -> dict[str, Any]:
    """The document without fields that say nothing; ``with`` and ``params`` stay as they are."""
    document = _without_empty(data)
    if isinstance(document.get("defaults"), Mapping):
        document["defaults"] = _without_empty(document["defaults"])
    if isinstance(document.get("nodes"), Mapping):
        document["nodes"] = {
            name: _without_empty(node) if isinstance(node, Mapping) else node
            for name, node in document["nodes"].items()
        }
    return document


def checksum(document: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a normalised document, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not _says_nothing(key, value)}


def _says_nothing(key: str, value: Any) -> bool:
    if value is None:
        return True
    # An empty mapping is an output like any other.
    return key != "output" and isinstance(value, str | list | dict) and not value
