"""Is it plain JSON? Checked once for a whole document, before anything else looks at it."""

from __future__ import annotations

import math
import re
from typing import Any

from celesta.graph.findings import Findings
from celesta.graph.paths import Path

#: Deepest nesting of a document. PostgreSQL and JSON readers everywhere stand far more.
MAX_DEPTH = 64

#: Whole numbers beyond these are rounded by JSON readers, the workers' among them.
SMALLEST = -(2**63)
LARGEST = 2**64 - 1

#: NUL, which PostgreSQL cannot store, and halves of surrogate pairs, which are no text.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def check(value: Any, findings: Findings) -> None:
    """Report everything in ``value`` that cannot be stored as JSON, with its path."""
    if _is_clean(value):
        return
    # A stack of its own: documents come from strangers, and recursion ends at Python's limit.
    stack: list[tuple[Any, Path]] = [(value, ())]
    while stack:
        item, path = stack.pop()
        if isinstance(item, dict | list):
            if len(path) >= MAX_DEPTH:
                message = f"Nested deeper than {MAX_DEPTH} levels."
                findings.error("document_too_deep", path, message, "Flatten this value.")
            else:
                stack.extend(reversed(_children(item, path, findings)))
        else:
            _check_scalar(item, path, findings)


def _is_clean(value: Any) -> bool:
    """True when there is nothing to report; without paths, which nearly no document needs."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if _UNSTORABLE.search(item):
                    return False
            elif isinstance(item, dict):
                if not all(isinstance(key, str) for key in item):
                    return False
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif item is not None and not _is_number(item):
                return False
        if not below:
            return True
        level = below
    return False


def _is_number(item: Any) -> bool:
    if isinstance(item, int):  # true and false are 1 and 0
        return is_exact(item)
    return isinstance(item, float) and math.isfinite(item)


def is_exact(number: int) -> bool:
    """True when every JSON reader of ours has this whole number as it is written."""
    return SMALLEST <= number <= LARGEST


def _children(
    item: dict[Any, Any] | list[Any], path: Path, findings: Findings
) -> list[tuple[Any, Path]]:
    if isinstance(item, list):
        return [(child, (*path, index)) for index, child in enumerate(item)]
    children = []
    for key, child in item.items():
        if isinstance(key, str):
            _check_text(key, path, findings)
            children.append((child, (*path, key)))
        else:
            findings.error("wrong_type", path, f"The key {key!r} is not a text.", "Quote the key.")
    return children


def _check_scalar(item: Any, path: Path, findings: Findings) -> None:
    if isinstance(item, str):
        _check_text(item, path, findings)
    elif isinstance(item, float):
        if not math.isfinite(item):
            findings.error("not_json", path, f"{item} is not a JSON number.")
    elif isinstance(item, int):
        if not is_exact(item):
            message = "A whole number has at most 64 bits; a run would have a rounded one."
            findings.error("not_json", path, message, "Quote it, or write it as 1.0e30.")
    elif item is not None:
        message = f"A value of type {type(item).__name__} is not JSON."
        findings.error("not_json", path, message, "Use texts, numbers, true, false, null.")


def _check_text(text: str, path: Path, findings: Findings) -> None:
    if _UNSTORABLE.search(text):
        message = "The text holds a NUL character or half of a surrogate pair."
        findings.error("invalid_text", path, message, "Remove the character.")
