"""Start a run through a form made from the workflow's params schema."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.forms.params import ParamsForm
from celesta.console.gate import page, require
from celesta.console.pages import show
from celesta.console.showing.params import schema_of
from celesta.console.views.workflows import visible_workflow
from celesta.engine import dry_run
from celesta.engine.dry_run import DryRun
from celesta.engine.start import Started, start_run
from celesta.runs.errors import IdempotencyConflict, NotPublished, ParamsInvalid
from celesta.workflows.models import Workflow


@require_http_methods(["GET", "POST"])
@page
def start(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """The start form; to a POST, the run, or the form again with what was entered."""
    workflow = visible_workflow(principal, workflow_id)
    require(principal, Role.OPERATOR, workflow.workspace)
    if workflow.current is None:
        raise NotPublished
    schema = schema_of(workflow.current.pk)
    form = ParamsForm(schema, request.POST if request.method == "POST" else None)
    dry = _dry_run(workflow, form) if "dry-run" in request.POST and form.is_valid() else None
    if request.method == "POST" and "dry-run" not in request.POST and form.is_valid():
        started = _started(workflow, form, principal)
        if started is not None:
            new = "Started." if started.created else "The key was used before: this is its run."
            messages.success(request, new)
            return redirect("celesta_console:run", started.run.pk)
    context = {"workflow": workflow, "form": form, "schema": schema, "dry_run": dry}
    title = f"Start {workflow.title or workflow.name}"
    status = 400 if request.method == "POST" and dry is None else 200
    return show(request, "start.html", context, title=title, section="workflows", status=status)


def _dry_run(workflow: Workflow, form: ParamsForm) -> DryRun | None:
    """What a start would do, or None with the refusal where it belongs in the form."""
    assert workflow.current is not None  # noqa: S101 - the view has refused that
    try:
        return dry_run.of_version(workflow.current, form.params())
    except ParamsInvalid as error:
        form.place(error.problems)
    return None


def _started(workflow: Workflow, form: ParamsForm, principal: Principal) -> Started | None:
    """Start, or put the refusal where it belongs in the form."""
    assert workflow.current is not None  # noqa: S101 - the view has refused that
    try:
        return start_run(
            workflow.current,
            form.params(),
            principal=principal,
            idempotency_key=form.cleaned_data["idempotency_key"] or None,
            trigger="console",
        )
    except ParamsInvalid as error:
        form.place(error.problems)
    except IdempotencyConflict as error:
        form.add_error("idempotency_key", error.detail)
    return None
