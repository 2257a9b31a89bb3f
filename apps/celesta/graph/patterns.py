"""Regular expressions whose time is linear in the text, so that no pattern can run away.

Rust's engine, which pydantic carries. Python's own engine tries every way to match: ``(a+)+$`` on
thirty letters keeps a process busy for minutes, and the server with it.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

#: What to write instead of a pattern that Rust's engine does not take.
HINT = "Patterns are those of Rust's regex engine: no look-around, no back-references."


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def found(pattern: str, text: str) -> bool:
    """Does the pattern match anywhere in the text? Raises ValueError for what is no pattern."""
    try:
        return _compiled(pattern).isinstance_python(text)
    except SchemaError:
        raise ValueError(f"{pattern!r:.50} is no regular expression") from None


def is_pattern(pattern: object) -> bool:
    """Can it be used with :func:`found`? What is no text is none of our business: True."""
    if not isinstance(pattern, str):
        return True
    try:
        found(pattern, "")
    except ValueError:
        return False
    return True
