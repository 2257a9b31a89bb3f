"""Dry runs: what a start would do, without starting anything."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access import scopes
from celesta.api import asking
from celesta.api.base import BaseView
from celesta.api.parsers import JSONBody
from celesta.api.schema.operations import operation
from celesta.api.shapes.dry_runs import DocumentDryRunBody, DryRunBody, DryRunShape
from celesta.api.views.versions import version_of
from celesta.api.views.workflows import WorkflowBase
from celesta.engine import dry_run
from celesta.engine.dry_run import DryRun
from celesta.runs.errors import NotPublished


class DryRunView(WorkflowBase):
    """A dry run of a published workflow; whoever may read it may ask."""

    @operation(
        "workflows_dry_run", "Say what a run with these params would do, without starting it",
        body=DryRunBody, answers={200: DryRunShape},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Check the params and go through the plan; nothing is written, no node's code runs."""
        asked = asking.body(request, DryRunBody)
        _demand_variables(self)
        if asked["version"] is None and self.workflow.current_id is None:
            raise NotPublished
        current = self.workflow.current
        number = asked["version"] or (current.number if current else 0)
        return _answer(dry_run.of_version(version_of(self, number), asked["params"]))


def _demand_variables(view: BaseView) -> None:
    """What a dry run shows has the values of variables in it; raises ScopeMissing."""
    scopes.demand(view.principal.scopes, "variables", writes=False)


class DocumentBody(JSONBody):
    """A document is longer than params may be."""

    limit_name = "DEFINITION_MAX_BYTES"


class DocumentDryRunView(BaseView):
    """A dry run of a document that nobody has published."""

    parser_classes = [DocumentBody]

    @operation(
        "workflows_dry_run_document", "Say what a run of a document would do, publishing nothing",
        body=DocumentDryRunBody, answers={200: DryRunShape},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Compile the document, check the params and go through the plan."""
        asked = asking.body(request, DocumentDryRunBody)
        _demand_variables(self)
        return _answer(
            dry_run.of_document(
                self.workspace, asked["source"], asked["params"], fmt=asked["format"]
            )
        )


def _answer(found: DryRun) -> Response:
    warnings = [problem.as_dict() for problem in found.problems]
    shown = {
        "params": found.params, "waves": found.waves, "steps": found.steps, "warnings": warnings
    }  # fmt: skip
    return Response(DryRunShape(shown).data)
