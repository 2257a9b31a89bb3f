"""Reading bodies: bounded, strict, and a document's text kept as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from celesta import conf
from celesta.api import strict_json
from celesta.api.refusals import BodyTooLarge, MalformedBody
from celesta.workflows.publishing import Format


@dataclass(frozen=True, slots=True)
class DocumentBody:
    """A workflow document as text, the format it is known to have, and the publisher's note."""

    source: str
    fmt: Format | None
    note: str = ""


def read_bounded(stream: IO[bytes], limit_name: str, context: Mapping[str, Any] | None) -> bytes:
    """The whole body; raises BodyTooLarge beyond the setting ``limit_name`` and reads no more."""
    limit = conf.get(limit_name)
    announced = int(context["request"].META.get("CONTENT_LENGTH") or 0) if context else 0
    data = b"" if announced > limit else stream.read(limit + 1)
    if announced > limit or len(data) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes (CELESTA[{limit_name!r}]).")
    return data


class JSONBody(BaseParser):
    """JSON of at most MAX_PARAMS_BYTES, or what ``limit_name`` names."""

    media_type = "application/json"
    limit_name = "MAX_PARAMS_BYTES"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value of the body."""
        data = read_bounded(stream, self.limit_name, parser_context)
        return strict_json.loads(data) if data.strip() else {}


class JSONDocument(BaseParser):
    """A document in JSON, or its text in ``{"source": "...", "format": "yaml", "note": ""}``."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document's text (a DocumentBody), unwrapped."""
        data = read_bounded(stream, "DEFINITION_MAX_BYTES", parser_context)
        return _wrapped(data) or DocumentBody(_decode(data), "json")


class YAMLDocument(BaseParser):
    """A document in YAML."""

    media_type = "application/yaml"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document's text (a DocumentBody)."""
        data = read_bounded(stream, "DEFINITION_MAX_BYTES", parser_context)
        return DocumentBody(_decode(data), "yaml")


class YAMLDocumentOldName(YAMLDocument):
    """The same under the name that was used before RFC 9512."""

    media_type = "application/x-yaml"


DOCUMENT_PARSERS = [JSONDocument, YAMLDocument, YAMLDocumentOldName]


def _wrapped(data: bytes) -> DocumentBody | None:
    """The text inside ``{"source": ...}``; None when the body is the document itself."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None  # the loader of documents says where it is broken
    if not isinstance(body, dict) or "source" not in body:
        return None
    unknown = sorted(body.keys() - {"source", "format", "note"})
    if unknown:
        raise MalformedBody(
            f"Beside 'source' only 'format' and 'note' may stand, not {unknown[0]!r}."
        )
    source, fmt, note = body["source"], body.get("format"), body.get("note", "")
    if not isinstance(source, str) or not isinstance(note, str):
        raise MalformedBody("'source' and 'note' must be strings.")
    if fmt not in (None, "yaml", "json"):
        raise MalformedBody("'format' must be 'yaml' or 'json'.")
    return DocumentBody(source, fmt, note)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"The body is not UTF-8 (byte {error.start}).") from error
