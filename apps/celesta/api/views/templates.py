"""The catalogue of templates: look, read, begin a workflow with one."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking
from celesta.api.base import BaseView
from celesta.api.schema.operations import operation, query
from celesta.api.shapes.templates import TemplateDetail, TemplateShape, UseTemplate
from celesta.api.shapes.workflows import WorkflowShape
from celesta.api.views import graphs
from celesta.workflows import catalogue
from celesta.workflows.catalogue import Template


class TemplatesView(BaseView):
    """The templates of this installation, those of a team's own apps and folders too."""

    @operation(
        "templates_list", "List templates",
        answers={200: TemplateShape(many=True)},
        parameters=[
            query("q", "Words that all occur in name, title, summary, description or tags."),
            query("tag", "Only templates with this tag."),
            query("audience", "Only templates for these people, such as 'finance'."),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List templates by audience and title."""
        asked = request.query_params
        found = catalogue.find(
            audience=asked.get("audience", ""), tag=asked.get("tag", ""), words=asked.get("q", "")
        )
        return Response(TemplateShape(found, many=True).data)


class TemplateView(BaseView):
    """One template."""

    @operation("templates_get", "Read a template", answers={200: TemplateDetail})
    def get(self, request: Request, name: str) -> Response:
        """Read a template with its document and its graph."""
        template = catalogue.get(name)
        shown: Any = TemplateDetail(_Previewed(template)).data
        return Response(shown)


class UseView(BaseView):
    """Begins a workflow."""

    roles = {"POST": Role.AUTHOR}

    @operation(
        "templates_use", "Make a workflow whose draft is the template",
        body=UseTemplate, answers={201: WorkflowShape},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Make a workflow; nothing runs it until its draft is published."""
        body = asking.body(request, UseTemplate)
        template = catalogue.get(name)
        workflow = catalogue.use(self.workspace, template, body["name"], by=request.user)
        return Response(WorkflowShape(workflow).data, 201)


class _Previewed:
    """A template with its graph, as the shape reads it."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, name)

    @property
    def graph(self) -> dict[str, Any]:
        plan = self._template.plan
        if plan is None:
            return {"nodes": [], "edges": []}
        return {"nodes": plan.nodes[:-1], "edges": graphs.edges(plan)}
