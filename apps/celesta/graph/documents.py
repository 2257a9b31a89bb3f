"""Documents as texts: YAML or JSON in, plain data with positions out, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import yaml

from celesta.graph import collector, json_text, yaml_text
from celesta.graph.fields import kind
from celesta.graph.positions import Positions
from celesta.graph.problems import DocumentInvalid, Problem

Format = Literal["yaml", "json"]

#: Largest document in bytes, unless the caller says otherwise.
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document's data, and where each part of it stands in the text."""

    data: dict[str, Any]
    positions: Positions


@collector.paused()
def load(source: str | bytes, *, max_bytes: int = MAX_BYTES, fmt: Format | None = None) -> Loaded:
    """Read a document; ``fmt`` None: JSON when it begins with a brace, else YAML.

    Raises DocumentInvalid with one problem: document_too_large, not_utf8, not_a_mapping,
    duplicate_key, document_too_deep, not_json; json_syntax; yaml_syntax, yaml_alias_bomb, yaml_tag.
    """
    text = _text(source, max_bytes)
    form = fmt or ("json" if text.lstrip()[:1] == "{" else "yaml")
    reader = json_text if form == "json" else yaml_text
    data = reader.read(text)
    if not isinstance(data, dict):
        raise _invalid("not_a_mapping", f"A document is a mapping, not {kind(data)}.", 1, 1)
    return Loaded(data, Positions(text, reader.places))


def dump(data: Mapping[str, Any]) -> str:
    """The document as YAML, its fields in the order given; :func:`load` reads it back."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2)


if TYPE_CHECKING:
    _BASE = yaml.SafeDumper
else:  # written in C, where libyaml is there
    _BASE = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _text(source: str | bytes, max_bytes: int) -> str:
    try:
        encoded = source if isinstance(source, bytes) else source.encode()
    except UnicodeEncodeError:
        raise _invalid("not_utf8", "The document holds half of a surrogate pair.", 1, 1) from None
    if len(encoded) > max_bytes:
        message = f"The document has {len(encoded):,} bytes; the limit is {max_bytes:,}."
        raise _invalid("document_too_large", message, None, None)
    try:
        return encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = encoded.count(b"\n", 0, error.start) + 1
        raise _invalid("not_utf8", "The document is not UTF-8 text.", line, None) from None


def _invalid(code: str, message: str, line: int | None, column: int | None) -> DocumentInvalid:
    return DocumentInvalid([Problem(code, "", message, line=line, column=column)])


class _Dumper(_BASE):
    """Writes what YAML 1.1 and YAML 1.2 readers understand alike, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if yaml_text.is_text(text) else "'"
    if "\n" in text.strip() and "\t" not in text and " \n" not in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)
