"""From a document to an immutable, numbered version: the one way in which versions come to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from django.db import connections, router, transaction
from django.db.models import F, Max

from celesta import conf
from celesta.access.models import Workspace
from celesta.graph import documents
from celesta.graph.compiler import Compiled, compile_document
from celesta.graph.plan import NONE
from celesta.graph.problems import DocumentInvalid
from celesta.workflows.errors import NoteInvalid, WorkflowExists, WorkflowNameMismatch
from celesta.workflows.models import Workflow, WorkflowVersion
from celesta.workflows.surroundings import unheard_queues, variable_names

Format = Literal["yaml", "json"]
Source = str | bytes | Mapping[str, Any]

#: Characters of a note.
LONGEST_NOTE: Final = 500

SQL: Final = Path(__file__).with_name("sql")


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing led to: the version, whether it is new, and the warnings about it."""

    version: WorkflowVersion
    created: bool
    compiled: Compiled


def validate(
    source: Source, *, workspace: Workspace | None = None, fmt: Format | None = None
) -> Compiled:
    """Everything that is wrong with a document, errors and warnings; never raises for its faults.

    Without a workspace, variables are not checked.
    """
    try:
        return _compile(source, workspace, fmt)
    except DocumentInvalid as error:
        return Compiled(plan=None, document={}, checksum="", problems=error.problems)


def publish(
    workspace: Workspace,
    source: Source,
    *,
    by: Any,
    note: str = "",
    fmt: Format | None = None,
) -> WorkflowVersion:
    """Publish a document and return its version; raises DocumentInvalid with all its problems.

    ``by`` is a user of AUTH_USER_MODEL, or None for Celesta itself and commands of the host.
    A document equal to the current version changes nothing and returns that version.
    """
    return publish_document(workspace, source, by=by, note=note, fmt=fmt).version


def publish_document(
    workspace: Workspace,
    source: Source,
    *,
    by: Any,
    note: str = "",
    fmt: Format | None = None,
    name: str | None = None,
    only_new: bool = False,
) -> Publication:
    """Like :func:`publish`, and says more.

    ``name``: the workflow that the document must name (else WorkflowNameMismatch).
    ``only_new``: raise WorkflowExists when the workspace has a workflow of that name.
    Raises NoteInvalid for a note that cannot be kept.
    """
    if len(note) > LONGEST_NOTE or "\x00" in note:
        raise NoteInvalid
    compiled = _compile(source, workspace, fmt)
    if compiled.plan is None:
        raise DocumentInvalid(compiled.problems)
    if name is not None and compiled.plan.workflow != name:
        raise WorkflowNameMismatch(
            f"The document names workflow {compiled.plan.workflow!r}, the address {name!r}; "
            "make them equal."
        )
    with transaction.atomic():
        workflow, is_new = _locked_workflow(workspace, compiled.plan.workflow)
        if only_new and not is_new:
            raise WorkflowExists
        if workflow.current is not None and workflow.current.checksum == compiled.checksum:
            _forget_draft(workflow, _text(source))
            return Publication(workflow.current, created=False, compiled=compiled)
        version = _insert_version(workflow, _text(source), compiled, by, note)
        _make_current(workflow, version)
        _forget_draft(workflow, version.source)
    return Publication(version, created=True, compiled=compiled)


def restore(version: WorkflowVersion, *, by: Any) -> Publication:
    """Publish an older version again, as a new one; it has to be valid still."""
    return publish_document(
        version.workflow.workspace,
        version.source,
        by=by,
        note=f"Restored from version {version.number}",
        name=version.workflow.name,
    )


def _compile(source: Source, workspace: Workspace | None, fmt: Format | None) -> Compiled:
    """Load and compile; raises DocumentInvalid when the text cannot be read at all."""
    if isinstance(source, Mapping):
        data, positions = source, None
    else:
        limit = conf.get("DEFINITION_MAX_BYTES")
        loaded = documents.load(source, max_bytes=limit, fmt=fmt)
        data, positions = loaded.data, loaded.positions
    names = variable_names(workspace) if workspace else None
    compiled = compile_document(data, positions=positions, variables=names)
    if compiled.plan is None:
        return compiled
    warnings = [
        problem.at(*(positions.find(problem.path) or (None, None))) if positions else problem
        for problem in unheard_queues(compiled.plan)
    ]
    return replace(compiled, problems=[*compiled.problems, *warnings])


def _text(source: Source) -> str:
    if isinstance(source, bytes):
        return source.decode()
    return source if isinstance(source, str) else documents.dump(dict(source))


def _locked_workflow(workspace: Workspace, name: str) -> tuple[Workflow, bool]:
    """The workflow, made if need be, under a lock that lets runs start meanwhile."""
    rows = Workflow.objects.select_for_update(no_key=True)
    workflow, is_new = rows.get_or_create(workspace=workspace, name=name)
    return workflow, is_new


def _insert_version(
    workflow: Workflow, text: str, compiled: Compiled, by: Any, note: str
) -> WorkflowVersion:
    assert compiled.plan is not None  # noqa: S101 - callers have refused documents without a plan
    last = workflow.versions.aggregate(last=Max("number"))["last"] or 0
    version = WorkflowVersion.objects.create(
        workflow=workflow,
        number=last + 1,
        checksum=compiled.checksum,
        source=text,
        document=compiled.document,
        plan_json=compiled.plan.to_json(),
        note=note,
        created_by=by,
    )
    _insert_plan_rows(version)
    return version


def _insert_plan_rows(version: WorkflowVersion) -> None:
    with connections[router.db_for_write(WorkflowVersion)].cursor() as cursor:
        for name in ("plan_gates", "plan_nodes"):
            statement = (SQL / f"{name}.sql").read_text()
            cursor.execute(statement, {"version": version.pk, "none": NONE})


def _make_current(workflow: Workflow, version: WorkflowVersion) -> None:
    document = version.document
    workflow.current = version
    workflow.title = document.get("title") or ""
    workflow.description = document.get("description") or ""
    workflow.tags = document.get("tags") or []
    workflow.save(update_fields=["current", "title", "description", "tags", "updated_at"])
    Workflow.objects.filter(pk=workflow.pk).update(draft_revision=F("draft_revision") + 1)


def _forget_draft(workflow: Workflow, text: str) -> None:
    """A draft that says what is published now has done its work."""
    Workflow.objects.filter(pk=workflow.pk, draft=text).exclude(draft="").update(
        draft="", draft_by=None, draft_at=None, draft_revision=F("draft_revision") + 1
    )
