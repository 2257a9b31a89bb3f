"""Reading an archive that somebody sends: bounded, checked whole, and never written to a disk."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Final

from pydantic import ValidationError

from celesta import conf
from celesta.graph import json_text, values
from celesta.graph.findings import Findings
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.workflows import drafts
from celesta.workflows.archive import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    DraftEntry,
    Manifest,
    WorkflowEntry,
    digest,
)
from celesta.workflows.errors import ArchiveInvalid

MAX_FILES: Final = 100_000
_PLAIN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: What zipfile raises for bytes that are not what the zip's own directory says.
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError,
    ValueError,  # of a place before the beginning, and of names that are not UTF-8
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Archive:
    """A sound archive: its workflows, and the texts of their files."""

    workflows: tuple[WorkflowEntry, ...]
    texts: Mapping[str, str]

    def text(self, entry: DraftEntry) -> str:
        """The document or draft of an entry."""
        return self.texts[entry.file]


def unpack(data: bytes) -> Archive:
    """The archive in these bytes; raises ArchiveInvalid with everything that is wrong with it.

    At most IMPORT_MAX_BYTES are unpacked, whatever the zip says about its sizes.
    """
    limit = conf.get("IMPORT_MAX_BYTES")
    if len(data) > limit:
        raise _too_large(limit)
    try:
        with zipfile.ZipFile(BytesIO(data)) as opened:
            infos = _files(opened)
            contents = _contents(opened, infos, limit)
    except _DAMAGE as error:
        message = "This is no zip file, or a damaged one."
        raise ArchiveInvalid([Problem("not_a_zip", "", message, "Export it again.")]) from error
    manifest = _manifest(contents.pop(MANIFEST, None))
    return _matched(manifest, contents)


def _files(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of the zip; raises ArchiveInvalid for names and kinds that no export makes."""
    # Not is_dir(): Python's looks at the last letter of a name that may have none.
    infos = [info for info in opened.infolist() if not info.filename.endswith("/")]
    if len(infos) > MAX_FILES:
        raise ArchiveInvalid([Problem("too_many_files", "", f"More than {MAX_FILES:,} files.")])
    problems = []
    seen: set[str] = set()
    for info in infos:
        if fault := _fault(info, seen):
            problems.append(fault)
        seen.add(info.filename)
    if problems:
        raise ArchiveInvalid(problems)
    return infos


def _fault(info: zipfile.ZipInfo, seen: set[str]) -> Problem | None:
    name = info.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        return Problem("unsafe_name", name, "A file name that leads out of the archive.")
    if name in seen:
        return Problem("duplicate_file", name, "The file is in the archive twice.")
    if info.flag_bits & 1:
        return Problem("encrypted_file", name, "The file is encrypted.", "Pack it without one.")
    if info.compress_type not in _PLAIN:
        return Problem("unknown_compression", name, "Only stored and deflated files are read.")
    return None


def _contents(
    opened: zipfile.ZipFile, infos: list[zipfile.ZipInfo], limit: int
) -> dict[str, bytes]:
    """All files; reading stops at the limit, so that a small zip cannot fill the memory."""
    found: dict[str, bytes] = {}
    left = limit
    for info in infos:
        with opened.open(info) as file:
            found[info.filename] = file.read(left + 1)
        left -= len(found[info.filename])
        if left < 0:
            raise _too_large(limit)
    return found


def _too_large(limit: int) -> ArchiveInvalid:
    message = f"The archive has more than {limit:,} bytes (CELESTA['IMPORT_MAX_BYTES'])."
    hint = "Export fewer workflows at once, or only current versions."
    return ArchiveInvalid([Problem("archive_too_large", "", message, hint)], status=413)


def _manifest(content: bytes | None) -> Manifest:
    if content is None:
        message = f"There is no {MANIFEST} in it; this is no archive of workflows."
        raise ArchiveInvalid([Problem("manifest_missing", MANIFEST, message)])
    try:
        data: Any = json_text.read(content.decode())
        _storable(data)
        _known_format(data)
        return Manifest.model_validate_json(json.dumps(data))
    except UnicodeDecodeError as error:
        raise ArchiveInvalid([Problem("not_utf8", MANIFEST, "It is not UTF-8 text.")]) from error
    except DocumentInvalid as error:
        raise ArchiveInvalid(error.problems) from error
    except ValidationError as error:
        raise ArchiveInvalid([_field(found) for found in error.errors()]) from error


def _storable(data: Any) -> None:
    """Names and notes go into the database, which takes no NUL and no half of a character."""
    findings = Findings()
    values.check(data, findings)
    if findings.problems:
        raise DocumentInvalid(
            [replace(found, path=f"{MANIFEST}.{found.path}") for found in findings.problems]
        )


def _known_format(data: Any) -> None:
    told = (data.get("format"), data.get("format_version")) if isinstance(data, dict) else None
    if told != (FORMAT, FORMAT_VERSION):
        message = f"The manifest does not say format {FORMAT!r}, version {FORMAT_VERSION}."
        hint = "It was made by another program, or by a newer Celesta."
        raise ArchiveInvalid([Problem("unknown_format", MANIFEST, message, hint)])


def _field(found: Any) -> Problem:
    code = "unknown_field" if found["type"] == "extra_forbidden" else "invalid_manifest"
    path = MANIFEST
    for part in found["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return Problem(code, path, f"{found['msg']}.")


def _matched(manifest: Manifest, contents: dict[str, bytes]) -> Archive:
    """Manifest and files belong together, to the byte."""
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    names: set[str] = set()
    for entry in manifest.workflows:
        if entry.name in names:
            message = f"The workflow {entry.name!r} is listed twice."
            problems.append(Problem("duplicate_workflow", entry.name, message))
        names.add(entry.name)
        if not drafts.NAME.fullmatch(entry.name):
            message = f"{entry.name!r} cannot be the name of a workflow."
            hint = "Letters, digits, '_', '.' and '-'; at most 200."
            problems.append(Problem("invalid_name", entry.name, message, hint))
        if not entry.versions and entry.draft is None:
            message = f"The workflow {entry.name!r} has neither a version nor a draft."
            problems.append(Problem("invalid_manifest", entry.name, message))
        for part in [*entry.versions, *([entry.draft] if entry.draft else [])]:
            problems += _read(part, contents, texts)
    for name in sorted(contents.keys() - texts.keys()):
        if not any(found.path == name for found in problems):
            problems.append(Problem("unknown_file", name, "The manifest does not list this file."))
    if problems:
        raise ArchiveInvalid(problems)
    return Archive(tuple(manifest.workflows), texts)


def _read(part: DraftEntry, contents: dict[str, bytes], texts: dict[str, str]) -> list[Problem]:
    content = contents.get(part.file)
    if content is None:
        return [Problem("missing_file", part.file, "The manifest lists a file that is not there.")]
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [Problem("not_utf8", part.file, "It is not UTF-8 text.")]
    if "\x00" in text:
        return [Problem("invalid_text", part.file, "It holds a NUL character.")]
    if digest(text) != part.sha256:
        hint = "Whoever changes a document publishes it; an archive is not edited."
        message = "The file is not what was exported: its SHA-256 is another."
        return [Problem("damaged_file", part.file, message, hint)]
    texts[part.file] = text
    return []
