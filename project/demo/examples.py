"""Publishing the workflows of `examples/`, without ever undoing what a user changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from celesta.access.models import Workspace
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.vault.models import Variable
from celesta.workflows.catalogue import FOLDER as TEMPLATES
from celesta.workflows.models import WorkflowVersion
from celesta.workflows.publishing import publish_document, validate
from project import ROOT
from project.demo.problems import DemoProblem

FOLDER = ROOT / "examples"
AUDIT = "examples.package_audit"
#: The variable by which workflows reach Celesta itself.
OWN_URL = "celesta_url"


@dataclass(frozen=True)
class Example:
    """A workflow in its current version; `fresh` if that was published just now."""

    file: str
    version: WorkflowVersion
    fresh: bool


def publish_all(workspace: Workspace, by: User) -> list[Example]:
    """Publish every example whose file has changed; raise DemoProblem for one that is faulty."""
    Variable.objects.update_or_create(
        workspace=workspace,
        name=OWN_URL,
        defaults={"value": settings.PUBLIC_URL, "description": "Where Celesta itself is reached."},
    )
    return [_publish(path, workspace, by) for path in files()]


def files() -> Iterator[Path]:
    """Yield the documents of all examples, in order; templates are for the catalogue."""
    found = sorted(FOLDER.rglob("*.yaml"))
    yield from (path for path in found if path.parent.name != TEMPLATES)


def _publish(path: Path, workspace: Workspace, by: User) -> Example:
    """Publish the document unless its last version from this file is equal to it.

    What a user published since, in the admin say, stays the current version.
    """
    source, file = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
    compiled = validate(source, workspace=workspace)
    if compiled.plan is None:
        raise DemoProblem(explain(file, compiled.problems))
    last = (
        WorkflowVersion.objects.filter(
            workflow__workspace=workspace, workflow__name=compiled.plan.workflow, note=file
        )
        .select_related("workflow__current")
        .first()
    )
    if last and last.checksum == compiled.checksum and last.workflow.current:
        return Example(file, last.workflow.current, fresh=False)
    try:
        published = publish_document(workspace, source, by=by, note=file)
    except DocumentInvalid as error:
        raise DemoProblem(explain(file, error.problems)) from error
    return Example(file, published.version, published.created)


def explain(file: str, problems: list[Problem]) -> str:
    """Return all problems of a document, a line each, placed in the file."""
    lines = [f"{file} was not published:"]
    for problem in problems:
        place = f"{file}:{problem.line or 1}"
        hint = f" {problem.hint}" if problem.hint else ""
        lines.append(f"  {place}: {problem.path}: {problem.message}{hint} [{problem.code}]")
    return "\n".join(lines)
