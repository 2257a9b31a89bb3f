"""Names that a file of a run may have. Pure: no storage, no database."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

#: Bytes of UTF-8. File systems allow 255; the stored name carries a prefix of ours.
MAX_NAME_BYTES = 200
OCTETS = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(;[ -~]+)?")


class ArtifactNameInvalid(ValueError):
    """The name of an artifact must be a plain file name."""

    code = "artifact_name_invalid"


class ContentTypeInvalid(ValueError):
    """The content type of an artifact must look like ``text/html``."""

    code = "artifact_content_type_invalid"


def safe_name(name: str) -> str:
    """The name in Unicode's composed form; raises :class:`ArtifactNameInvalid` for anything but
    a plain file name: no folders, no ``..``, no control characters, at most 200 bytes.
    """
    name = unicodedata.normalize("NFC", name)
    reason = _fault(name)
    if reason:
        raise ArtifactNameInvalid(
            f"{name[:80]!r} cannot be the name of an artifact: {reason}; "
            "use a plain file name such as 'report.html'"
        )
    return name


def _fault(name: str) -> str:
    if not name.strip() or name in {".", ".."}:
        return "it names no file"
    if "/" in name or "\\" in name:
        return "it leads into another folder"
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name):
        return "it holds a control character"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"it is longer than {MAX_NAME_BYTES} bytes"
    return ""


def media_type(name: str, given: str | None = None) -> str:
    """The content type: the one given, else guessed from the name, else plain octets.

    Raises :class:`ContentTypeInvalid` for a given one that could not stand in an HTTP header.
    """
    if given is None:
        return mimetypes.guess_type(name)[0] or OCTETS
    if len(given) > 100 or not _MEDIA_TYPE.fullmatch(given):
        raise ContentTypeInvalid(
            f"{given[:80]!r} is no content type: write one such as 'text/html' or 'text/csv'"
        )
    return given
