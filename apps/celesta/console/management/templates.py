"""``manage.py workflow templates`` and ``workflow new``: the catalogue on the command line."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from celesta.console.management.terminal import Terminal
from celesta.workflows import catalogue


class TemplateVerbs:
    """Two verbs of the command ``workflow``."""

    own_verbs: ClassVar[dict[str, str]] = {
        "templates": "list the templates to begin with, by audience, tag and words",
        "new": "make a workflow whose draft is a template",
    }
    terminal: Terminal
    workspace: Any

    def own_arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one of them."""
        if verb == "templates":
            parser.add_argument("--audience", default="", help="such as finance or operations")
            parser.add_argument("--tag", default="", help="only templates with this tag")
            parser.add_argument("--search", default="", help="words that all occur in it")
            return
        parser.add_argument("name", help="name of the new workflow")
        parser.add_argument("--template", required=True, help="see: workflow templates")

    def do_templates(self, *, audience: str, tag: str, search: str, **_: Any) -> None:
        """The catalogue."""
        found = catalogue.find(audience=audience, tag=tag, words=search)
        if self.terminal.as_json:
            self.terminal.value([_shown(template) for template in found])
            return
        if not found:
            self.terminal.line("No template is like that.")
            return
        self.terminal.table(
            ["NAME", "AUDIENCE", "SUMMARY"],
            [[one.name, one.header.audience, one.header.summary] for one in found],
        )

    def do_new(self, *, name: str, template: str, **_: Any) -> None:
        """A draft to go on with; nothing runs it until it is published."""
        begun = catalogue.get(template)
        workflow = catalogue.use(self.workspace, begun, name, by=None)
        if self.terminal.as_json:
            self.terminal.value({"workflow": workflow.name, "template": begun.name})
            return
        self.terminal.line(f"made {workflow.name} with a draft; before you publish it, look at:")
        for hint in begun.header.change:
            self.terminal.line(f"  - {hint}")


def _shown(template: catalogue.Template) -> dict[str, Any]:
    header = template.header
    return {
        "name": template.name,
        "title": template.title,
        "summary": header.summary,
        "audience": header.audience,
        "tags": template.tags,
        "teaches": header.teaches,
        "change": header.change,
        "code": header.code,
    }
