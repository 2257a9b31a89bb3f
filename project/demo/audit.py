"""Running the package audit and keeping its report where it is easy to find."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from celesta.access.principals import for_user
from celesta.artifacts.models import Artifact
from celesta.artifacts.store import open_artifact
from celesta.engine.start import start_run
from celesta.runs.errors import EngineError
from celesta.runs.models import Run
from celesta.runs.states import RunState
from celesta.workflows.models import WorkflowVersion
from project.demo.problems import DemoProblem
from project.env import home


@dataclass(frozen=True)
class Audited:
    """What a finished audit tells."""

    run: UUID
    findings: list[str]
    report: Path


def start(version: WorkflowVersion, by: User, paths: list[str]) -> UUID:
    """Start an audit of these folders, of this Python's own if there are none.

    Raises DemoProblem if the engine refuses.
    """
    params = {"paths": paths} if paths else {}
    try:
        return start_run(version, params, principal=for_user(by), trigger="command").run.pk
    except EngineError as error:
        raise DemoProblem(f"The audit was not started: {error.detail}") from error


def result(run_id: UUID) -> Audited:
    """Return what a finished run told; raise DemoProblem if it did not succeed."""
    run = Run.objects.get(pk=run_id)
    if run.state != RunState.SUCCEEDED:
        raise DemoProblem(f"The audit {run.state}: {_reason(run.error)} Run {run_id}.")
    output = run.output or {}
    try:
        findings, report = output["findings"], output["report"]["artifact"]
    except (KeyError, TypeError) as error:
        raise DemoProblem(
            "The audit succeeded, but its output has no findings and report: was it changed?"
        ) from error
    return Audited(run_id, [str(line) for line in findings][:3], _kept(report))


def _kept(artifact_id: int) -> Path:
    """Copy the report out of the artifact storage, which may be anywhere; return where it is."""
    target = home() / "package-audit.html"
    draft = target.with_suffix(".new")
    artifact = Artifact.objects.get(pk=artifact_id)
    with open_artifact(artifact) as report, draft.open("wb") as copy:
        shutil.copyfileobj(report, copy)
    os.replace(draft, target)  # noqa: PTH105 - whole or not at all
    return target


def _reason(error: Any) -> str:
    told = error.get("message") if isinstance(error, dict) else error
    return f"{told or 'see the page of the run'}."
