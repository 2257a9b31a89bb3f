"""The catalogue: workflow documents to begin with, found by audience, tag and words.

A template is one file, ``<name>.yaml``: a header (for whom it is, what to change), a line ``---``,
and the document as an author would write it. Files are found in the folder ``celesta_templates``
of every installed app (ours among them) and in ``CELESTA["TEMPLATE_FOLDERS"]``; of two with one
name the later wins, so that a team can replace ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from celesta import conf
from celesta.access.models import Workspace
from celesta.graph import documents
from celesta.graph.plan import Plan
from celesta.graph.problems import DocumentInvalid
from celesta.workflows import drafts, publishing
from celesta.workflows.errors import TemplateUnknown, WorkflowExists
from celesta.workflows.models import Workflow

logger = logging.getLogger(__name__)

FOLDER: Final = "celesta_templates"
_FILE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_BREAK: Final = re.compile(r"^---[ \t]*\n", re.MULTILINE)
_NAME: Final = re.compile(r"^workflow:.*$", re.MULTILINE)


class Header(BaseModel):
    """What stands above the document."""

    model_config = ConfigDict(extra="forbid", strict=True)

    summary: str = Field(min_length=10, max_length=200)
    audience: str = Field(pattern=r"^[a-z][a-z0-9-]{1,49}$")
    #: What it shows of Celesta, a few words each.
    teaches: list[str] = Field(min_length=1)
    #: What to look at before the first real run.
    change: list[str] = Field(min_length=1)
    #: Modules with the functions or tasks that it calls.
    code: list[str] = []


@dataclass(frozen=True)  # without slots: its plan is kept beside the fields
class Template:
    """One template; title, description, tags and params are those of its document."""

    name: str
    header: Header
    #: The document's text, comments and all.
    source: str
    document: dict[str, Any]
    path: Path

    @property
    def title(self) -> str:
        """The document's title."""
        return str(self.document.get("title") or self.name)

    @property
    def description(self) -> str:
        """The document's description."""
        return str(self.document.get("description") or "")

    @property
    def tags(self) -> list[str]:
        """The document's tags."""
        return [str(tag) for tag in self.document.get("tags") or []]

    @property
    def params(self) -> dict[str, Any]:
        """The JSON Schema of the document's params."""
        return dict(self.document.get("params") or {})

    @cached_property
    def plan(self) -> Plan | None:
        """The compiled plan, for a preview; None when this installation lacks what it calls."""
        return publishing.validate(self.document).plan

    def says(self, words: str) -> bool:
        """True when every one of the words is somewhere in what a reader sees of it."""
        header = self.header
        about = (self.name, self.title, self.description, header.summary, header.audience)
        seen = " ".join((*about, *self.tags, *header.teaches)).casefold()
        return all(word in seen for word in words.casefold().split())

    def under(self, name: str) -> str:
        """The document's text for a workflow of another name."""
        line = documents.dump({"workflow": name}).rstrip("\n")  # quoted where YAML needs it
        return _NAME.sub(lambda _: line, self.source, count=1)


class TemplateFaulty(ValueError):
    """The file is no template."""


def find(*, audience: str = "", tag: str = "", words: str = "") -> list[Template]:
    """The templates that are for this audience, have this tag and say these words, by title."""
    found = [
        template
        for template in everything().values()
        if audience in ("", template.header.audience)
        and (not tag or tag in template.tags)
        and template.says(words)
    ]
    return sorted(found, key=lambda template: (template.header.audience, template.title))


def get(name: str) -> Template:
    """One template; raises TemplateUnknown."""
    found = everything().get(name)
    if found is None:
        raise TemplateUnknown(f"There is no template {name!r}; the list of templates has them all.")
    return found


def use(workspace: Workspace, template: Template, name: str, *, by: Any) -> Workflow:
    """A new workflow whose draft is the template; raises WorkflowExists, DocumentInvalid.

    Other faults than that of the name are left to the draft's editor: a function that this
    installation does not have yet, say.
    """
    drafts.check_name(name)
    workflow, is_new = drafts.begin(workspace, name, template.under(name), by=by)
    if not is_new:
        raise WorkflowExists(f"There is a workflow {name!r} already; choose another name.")
    return workflow


def everything() -> dict[str, Template]:
    """All templates by name; a faulty file is logged and left out (a system check names it)."""
    found: dict[str, Template] = {}
    for path in files():
        try:
            found[path.stem] = _read(path)
        except (TemplateFaulty, OSError) as fault:
            logger.warning("%s is left out of the catalogue: %s", path, fault)
    return found


def faults() -> list[str]:
    """What is wrong with the folders and files, a sentence each."""
    said = [
        f"{folder} is not a folder (CELESTA['TEMPLATE_FOLDERS'])."
        for folder in conf.get("TEMPLATE_FOLDERS")
        if not Path(folder).is_dir()
    ]
    for path in files():
        try:
            _read(path)
        except (TemplateFaulty, OSError) as fault:
            said.append(f"{path}: {fault}")
    return said


def files() -> Iterator[Path]:
    """The files of all templates, those that win last."""
    folders = [Path(config.path) / FOLDER for config in apps.get_app_configs()]
    folders += [Path(folder) for folder in conf.get("TEMPLATE_FOLDERS")]
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.glob("*.yaml"))


def _read(path: Path) -> Template:
    seen = path.stat()
    return _read_once(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=1024)
def _read_once(path: Path, _changed_at: int, _size: int) -> Template:
    """The template in a file; the other arguments make a changed file another one."""
    if not _FILE.fullmatch(path.stem):
        raise TemplateFaulty("name the file with small letters, digits, _ and -.")
    try:
        return parse(path.stem, path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise TemplateFaulty(f"it is not UTF-8 (byte {error.start}).") from error


def parse(name: str, text: str, path: Path) -> Template:
    """The template in a text; raises TemplateFaulty. The document is not compiled here."""
    above, *rest = _BREAK.split(text, maxsplit=1)
    if not rest:
        raise TemplateFaulty("it needs a header, a line `---`, and the document.")
    source = rest[0]
    try:
        header = Header.model_validate(documents.load(above, fmt="yaml").data)
        document = documents.load(source, fmt="yaml").data
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TemplateFaulty(f"header, {where}: {first['msg']}.") from error
    except DocumentInvalid as error:
        raise TemplateFaulty(str(error)) from error
    if not _NAME.search(source):
        raise TemplateFaulty("the document needs a line that begins with `workflow:`.")
    return Template(name, header, source, document, path)
