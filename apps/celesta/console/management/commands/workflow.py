"""``manage.py workflow``: documents in, documents out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from celesta.console.management.archives import ArchiveVerbs
from celesta.console.management.dry_runs import DryRunVerb
from celesta.console.management.templates import TemplateVerbs
from celesta.console.management.verbs import VerbCommand, read_text
from celesta.workflows import exporting, publishing
from celesta.workflows.activation import set_active, set_paused
from celesta.workflows.models import Workflow, WorkflowVersion


class Command(TemplateVerbs, ArchiveVerbs, DryRunVerb, VerbCommand):
    """Validate, publish and export workflow documents."""

    help = "Begin, validate, publish, list, show, export, import, switch and pause workflows."
    verbs = {
        **TemplateVerbs.own_verbs,
        **ArchiveVerbs.archive_verbs,
        "validate": "check a document: all errors and warnings at once",
        **DryRunVerb.dry_run_verb,
        "publish": "publish a document as a new version",
        "list": "list workflows",
        "show": "show one workflow and its versions",
        "export": "write a version's document, or an archive of many workflows",
        "activate": "take new runs",
        "deactivate": "refuse new runs; runs under way go on",
        "pause": "let nothing start it by itself; by hand it starts",
        "resume": "let its schedules go on",
    }

    def arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one verb."""
        if verb in self.own_verbs:
            self.own_arguments_of(verb, parser)
        elif verb == "import":
            self.import_arguments(parser)
        elif verb == "dry-run":
            self.dry_run_arguments(parser)
        elif verb in ("validate", "publish"):
            parser.add_argument("file", help="YAML or JSON; - for standard input")
        elif verb == "export":
            parser.add_argument("names", nargs="*", metavar="name", help="names of workflows")
            parser.add_argument("--all", action="store_true", help="an archive of all of them")
            parser.add_argument("--tag", default="", help="an archive of those with this tag")
            parser.add_argument(
                "--current-only", action="store_true", help="an archive without earlier versions"
            )
        elif verb != "list":
            parser.add_argument("name", help="name of the workflow")
        if verb == "publish":
            parser.add_argument("--note", default="", help="what this version is about")
        if verb == "export":
            parser.add_argument(
                "--version", dest="number", type=int, help="by default the current one"
            )
            parser.add_argument(
                "--format", dest="form", default="yaml",
                choices=("yaml", "json", "source", "python"),
                help="source: the text as its author wrote it; python: source that builds it",
            )  # fmt: skip
            parser.add_argument("-o", "--output", help="file to write")

    def do_validate(self, *, file: str, **_: Any) -> None:
        """Exit code 0 when the document could be published."""
        compiled = publishing.validate(read_text(file), workspace=self.workspace)
        if compiled.plan is None:
            self.refuse_document(compiled.problems)
            return
        for problem in compiled.problems:
            self.terminal.problem(problem, file)
        if self.terminal.as_json:
            problems = [problem.as_dict() for problem in compiled.problems]
            self.terminal.value({"valid": True, "problems": problems})
        self.terminal.line(
            f"{compiled.plan.workflow} is valid: {_count(compiled.document)} nodes, "
            f"checksum {compiled.checksum[:12]}"
        )

    def do_publish(self, *, file: str, note: str, **_: Any) -> None:
        """Publish; the same document twice makes one version."""
        made = publishing.publish_document(self.workspace, read_text(file), by=None, note=note)
        for problem in made.compiled.problems:
            self.terminal.problem(problem, file)
        version = made.version
        if self.terminal.as_json:
            self.terminal.value({**_brief(version), "created": made.created})
        elif made.created:
            self.terminal.line(f"published {version.workflow.name} version {version.number}")
        else:
            self.terminal.line(f"{version.workflow.name} is at version {version.number} already")

    def do_list(self, **_: Any) -> None:
        """All workflows of the workspace."""
        rows = [_summary(workflow) for workflow in self._workflows()]
        if self.terminal.as_json:
            self.terminal.value(rows)
            return
        headings = ("name", "version", "active", "paused", "title", "updated_at")
        self.terminal.table(
            [name.upper().replace("_AT", "") for name in headings],
            [[row[name] for name in headings] for row in rows],
        )

    def do_show(self, *, name: str, **_: Any) -> None:
        """One workflow, its params and its versions."""
        workflow = self._workflow(name)
        versions = list(workflow.versions.order_by("-number").defer("source", "plan_json"))
        if self.terminal.as_json:
            shown = [_brief(version) for version in versions]
            self.terminal.value({**_summary(workflow), "versions": shown})
            return
        self.terminal.facts([*_summary(workflow).items(), ("params", _params(workflow.current))])
        self.terminal.line()
        self.terminal.table(
            ["VERSION", "CREATED", "NODES", "CHECKSUM", "NOTE"],
            [
                [v.number, v.created_at, _count(v.document), v.checksum[:12], v.note]
                for v in versions
            ],
        )

    def do_export(
        self, *, names: list[str], number: int | None, form: str, output: str | None, **more: Any
    ) -> None:
        """What is exported and published or imported again has the same checksum."""
        many = len(names) > 1 or more["all"] or more["tag"] or (output or "").endswith(".zip")
        if many:
            self.export_many(self._chosen(names, more), output, history=not more["current_only"])
            return
        if not names:
            raise CommandError("Name a workflow, or --all or --tag for an archive.")
        name = names[0]
        text = _exported(self._version(name, number), form)
        if output is None:
            self.stdout.write(text, ending="")
            return
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        self.terminal.line(f"wrote {output}")

    def do_activate(self, *, name: str, **_: Any) -> None:
        """Take new runs."""
        self._switch(name, active=True)

    def do_deactivate(self, *, name: str, **_: Any) -> None:
        """Refuse new runs."""
        self._switch(name, active=False)

    def do_pause(self, *, name: str, **_: Any) -> None:
        """Hold its schedules back."""
        self._pause(name, paused=True)

    def do_resume(self, *, name: str, **_: Any) -> None:
        """Let its schedules go on; each one's catch-up policy decides about missed slots."""
        self._pause(name, paused=False)

    def _pause(self, name: str, *, paused: bool) -> None:
        workflow = set_paused(self._workflow(name), paused=paused)
        if self.terminal.as_json:
            self.terminal.value(_summary(workflow))
        self.terminal.line(
            f"{name} is paused: only people and programs start it"
            if paused
            else f"{name} goes on: its schedules start it"
        )

    def _switch(self, name: str, *, active: bool) -> None:
        workflow = set_active(self._workflow(name), active=active)
        if self.terminal.as_json:
            self.terminal.value(_summary(workflow))
        self.terminal.line(f"{name} {'takes' if active else 'refuses'} new runs")

    def _chosen(self, names: list[str], more: dict[str, Any]) -> Any:
        """The workflows that an archive is asked for."""
        if not names and not more["all"] and not more["tag"]:
            raise CommandError("Name workflows, or --all or --tag for an archive.")
        rows = self._workflows()
        if names and not more["all"]:
            rows = rows.filter(name__in=[self._workflow(name).name for name in names])
        return rows.filter(tags__contains=[more["tag"]]) if more["tag"] else rows

    def _workflows(self) -> Any:
        return Workflow.objects.filter(workspace=self.workspace).select_related("current")

    def _workflow(self, name: str) -> Workflow:
        found: Workflow | None = self._workflows().filter(name=name).first()
        if found is None:
            raise CommandError(f"There is no workflow {name!r}; see: manage.py workflow list")
        return found

    def _version(self, name: str, number: int | None) -> WorkflowVersion:
        workflow = self._workflow(name)
        number = number or (workflow.current.number if workflow.current else 0)
        found: WorkflowVersion | None = workflow.versions.filter(number=number).first()
        if found is None:
            raise CommandError(
                f"{name} has no version {number}; see: manage.py workflow show {name}"
            )
        return found


def _count(document: dict[str, Any]) -> int:
    return len(document.get("nodes", {}))


def _params(version: WorkflowVersion | None) -> dict[str, Any]:
    return version.document.get("params", {}) if version else {}


def _exported(version: WorkflowVersion, form: str) -> str:
    if form == "source":
        return version.source
    writers = {"yaml": exporting.as_yaml, "json": exporting.as_json, "python": exporting.as_python}
    return writers[form](version)


def _summary(workflow: Workflow) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "title": workflow.title,
        "description": workflow.description,
        "tags": workflow.tags,
        "active": workflow.active,
        "paused": workflow.paused,
        "version": workflow.current.number if workflow.current else None,
        "updated_at": workflow.updated_at,
    }


def _brief(version: WorkflowVersion) -> dict[str, Any]:
    return {
        "workflow": version.workflow.name,
        "number": version.number,
        "checksum": version.checksum,
        "note": version.note,
        "created_at": version.created_at,
    }
