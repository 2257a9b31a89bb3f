"""``manage.py run``: start, look at, follow, hold and cancel runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from celesta.console.management.logs import tell
from celesta.console.management.params import collect
from celesta.console.management.verbs import VerbCommand
from celesta.console.management.watching import closing, watch
from celesta.console.management.why import tell_why
from celesta.engine.cancellation import cancel_run
from celesta.engine.pausing import pause_run, resume_run
from celesta.engine.rerun import Mode, foresee, rerun_run
from celesta.engine.skipping import skip_node
from celesta.engine.start import start_run
from celesta.runs import queries
from celesta.runs.errors import NotPublished
from celesta.runs.models import NodeRun, Run
from celesta.runs.states import RunState
from celesta.workflows.models import Workflow, WorkflowVersion

#: How many node runs ``show`` prints; the API has them all.
MOST_NODES: Final = 200
BRIEF: Final = ("id", "workflow", "version", "state", "created_by", "created_at", "finished_at")
NODE: Final = (
    "name", "scope", "type", "state", "attempt", "via", "worker", "started_at", "finished_at",
)  # fmt: skip


class Command(VerbCommand):
    """Start, list, show, watch, pause, resume and cancel runs."""

    help = "Start, list, show, watch, pause, resume and cancel runs."
    verbs = {
        "start": "start a run of a workflow",
        "list": "list runs, newest first",
        "show": "show a run and its nodes",
        "watch": "follow a run until it ends; exit code 1 unless it succeeded",
        "logs": "show what the nodes of a run logged and printed",
        "why": "tell why a run, or one of its nodes, does not go on",
        "cancel": "cancel a run",
        "pause": "hold a run: what runs ends, nothing else begins",
        "resume": "let a paused run go on",
        "rerun": "run again what failed, chosen nodes, or all",
        "skip": "go on without a node that is ready or waits",
    }

    def arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one verb."""
        match verb:
            case "start":
                _start_arguments(parser)
            case "list":
                parser.add_argument("--state", choices=[state.value for state in RunState])
                parser.add_argument("--workflow", help="name of a workflow")
                parser.add_argument("--limit", type=int, default=20)
            case _:
                parser.add_argument("id", help="id of the run, or how it begins")
        if verb == "rerun":
            _rerun_arguments(parser)
        if verb == "logs":
            parser.add_argument("--node", help="only this node")
            parser.add_argument("--follow", action="store_true", help="until the run is over")
        if verb == "why":
            parser.add_argument("node", nargs="?", help="only this node")
            parser.add_argument("--scope", type=int, default=0, help="which item of a map")
        if verb == "skip":
            parser.add_argument("node", help="name of the node")
            parser.add_argument("--scope", type=int, default=0, help="which item of a map")
        if verb in ("cancel", "pause", "skip"):
            parser.add_argument("--reason", default="", help="kept in the run's history")

    def do_start(
        self, *, name: str, pairs: list[str], params: str | None, key: str | None,
        number: int | None, watching: bool, **_: Any,
    ) -> None:  # fmt: skip
        """Start a run and print its id."""
        version = self._version(name, number)
        schema = queries.plan_of(version.pk).params_schema
        started = start_run(
            version,
            collect(schema, pairs, params),
            principal=self.principal,
            idempotency_key=key,
            trigger="cli",
        )
        run = queries.runs(self.principal).get(pk=started.run.pk)
        if self.terminal.as_json:
            self.terminal.value({**queries.summary(run), "created": started.created})
        verb = "started" if started.created else "was started before:"
        self.terminal.line(f"{verb} {name} version {version.number}: {run.pk}")
        if watching:
            self._watch(run)

    def do_list(self, *, state: str | None, workflow: str | None, limit: int, **_: Any) -> None:
        """The newest runs of the workspace."""
        runs = queries.runs(self.principal).filter(workspace=self.workspace)
        runs = runs.filter(state=state) if state else runs
        runs = runs.filter(workflow__name=workflow) if workflow else runs
        rows = [queries.summary(run) for run in runs[: max(limit, 1)]]
        if self.terminal.as_json:
            self.terminal.value(rows)
            return
        self.terminal.table(_headings(BRIEF), [[row[name] for name in BRIEF] for row in rows])

    def do_show(self, **options: Any) -> None:
        """A run with its nodes."""
        run = self._run(options["id"])
        nodes = self._nodes(run)
        if self.terminal.as_json:
            self.terminal.value({**queries.summary(run), "nodes": nodes})
            return
        self.terminal.facts(queries.summary(run).items())
        self.terminal.line()
        self.terminal.table(_headings(NODE), [[node[name] for name in NODE] for node in nodes])
        total = sum(queries.counts_by_state(run.pk).values())
        if total > len(nodes):
            self.terminal.line(f"... and {total - len(nodes)} more")

    def do_watch(self, **options: Any) -> None:
        """Follow a run until it ends."""
        self._watch(self._run(options["id"]))

    def do_logs(self, *, node: str | None, follow: bool, **options: Any) -> None:
        """The lines of a run, or of one of its nodes."""
        run = self._run(options["id"])
        with suppress(KeyboardInterrupt):  # how one stops following
            tell(run, self.principal, self.terminal, node=node, follow=follow)

    def do_why(self, *, node: str | None, scope: int, **options: Any) -> None:
        """Why the nodes of a run that have not ended do not run."""
        tell_why(self._run(options["id"]), self.terminal, node=node, scope=scope)

    def do_cancel(self, *, reason: str, **options: Any) -> None:
        """Cancel a run."""
        run = self._run(options["id"])
        cancel_run(run.pk, by=self.principal.name, reason=reason)
        self._tell(run)

    def do_pause(self, *, reason: str, **options: Any) -> None:
        """Pause a run."""
        run = self._run(options["id"])
        pause_run(run.pk, by=self.principal.name, reason=reason)
        self._tell(run)

    def do_resume(self, **options: Any) -> None:
        """Let a paused run go on."""
        run = self._run(options["id"])
        resume_run(run.pk, by=self.principal.name)
        self._tell(run)

    def do_rerun(
        self, *, nodes: list[str], everything: bool, outputs: list[str], pairs: list[str],
        params: str | None, key: str | None, number: int | None, watching: bool,
        preview: bool, **options: Any,
    ) -> None:  # fmt: skip
        """A new run that keeps what need not run again; prints its id."""
        run = self._run(options["id"])
        version = self._version(run.workflow.name, number) if number else run.version
        mode = Mode.ALL if everything else Mode.NODES if nodes else Mode.FAILED
        if preview:
            seen = foresee(
                run, mode=mode, nodes=nodes, outputs=collect({}, outputs, None), version=version
            )
            if self.terminal.as_json:
                self.terminal.value(asdict(seen))
            self.terminal.line(f"runs again: {', '.join(seen.again) or 'nothing'}")
            self.terminal.line(f"kept: {', '.join(seen.kept) or 'nothing'}")
            return
        given = {**run.params, **collect({}, [], params)} if params else dict(run.params)
        given |= collect(queries.plan_of(version.pk).params_schema, pairs, None)
        started = rerun_run(
            run,
            principal=self.principal,
            mode=mode,
            nodes=nodes,
            outputs=collect({}, outputs, None),
            version=version,
            params=given,
            idempotency_key=key,
            trigger="cli",
        )
        new = queries.runs(self.principal).get(pk=started.run.pk)
        if self.terminal.as_json:
            self.terminal.value({**queries.summary(new), "created": started.created})
        verb = "started" if started.created else "was started before:"
        self.terminal.line(f"{verb} {run.workflow.name} version {version.number}: {new.pk}")
        if watching:
            self._watch(new)

    def do_skip(self, *, node: str, scope: int, reason: str, **options: Any) -> None:
        """Skip a node."""
        run = self._run(options["id"])
        found = queries.plan_of(run.version_id).by_name().get(node)
        if found is None:
            raise CommandError(f"The workflow of this run has no node {node!r}.")
        skip_node(run.pk, scope, found.index, by=self.principal.name, reason=reason)
        self._tell(run)

    def _tell(self, run: Run) -> None:
        """The run as it is now."""
        run = self._run(str(run.pk))
        if self.terminal.as_json:
            self.terminal.value(queries.summary(run))
        self.terminal.line(f"{run.workflow.name} {run.pk}: {run.state}")

    def _watch(self, run: Run) -> None:
        try:
            run = watch(run.pk, self.principal, self.terminal)
        except KeyboardInterrupt:
            self.terminal.line(f"the run goes on; to follow it again: manage.py run watch {run.pk}")
            return
        closing(run, self.terminal)
        if run.state != RunState.SUCCEEDED:
            raise CommandError(f"The run has {_ended(run)}.")

    def _run(self, prefix: str) -> Run:
        visible = queries.runs(self.principal).filter(workspace=self.workspace)
        try:
            found = list(queries.with_id_prefix(visible, prefix)[:2])
        except ValueError as error:
            raise CommandError(f"{prefix} is no id of a run.") from error
        if not found:
            raise CommandError(f"There is no run {prefix}; see: manage.py run list")
        if len(found) > 1:
            raise CommandError(f"Several runs begin with {prefix}; give more of the id.")
        return found[0]

    def _nodes(self, run: Run) -> list[dict[str, Any]]:
        rows: list[NodeRun] = list(queries.node_runs(run.pk)[:MOST_NODES])
        return queries.described(queries.plan_of(run.version_id), run.pk, rows)

    def _version(self, name: str, number: int | None) -> WorkflowVersion:
        workflows = Workflow.objects.filter(workspace=self.workspace, name=name)
        workflow: Workflow | None = workflows.select_related("current").first()
        if workflow is None:
            raise CommandError(f"There is no workflow {name!r}; see: manage.py workflow list")
        if number is None and workflow.current is None:
            raise NotPublished
        wanted = number if number is not None else workflow.current.number  # type: ignore[union-attr]
        versions = workflow.versions.select_related("workflow")
        version: WorkflowVersion | None = versions.filter(number=wanted).first()
        if version is None:
            raise CommandError(
                f"{name} has no version {wanted}; see: manage.py workflow show {name}"
            )
        return version


def _start_arguments(parser: CommandParser) -> None:
    parser.add_argument("name", help="name of the workflow")
    parser.add_argument(
        "-p", dest="pairs", action="append", default=[], metavar="NAME=VALUE",
        help="one param; values are read as JSON where they are JSON",
    )  # fmt: skip
    parser.add_argument("--params", metavar="JSON", help="all params as one JSON object")
    parser.add_argument("--key", help="idempotency key: a second start with it starts nothing")
    parser.add_argument("--version", dest="number", type=int, help="by default the current one")
    parser.add_argument("--watch", dest="watching", action="store_true", help="follow it at once")


def _rerun_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--from", dest="nodes", action="append", default=[], metavar="NODE",
        help="a node to begin at (may be given several times); by default, what failed",
    )  # fmt: skip
    parser.add_argument("--all", dest="everything", action="store_true", help="keep nothing")
    parser.add_argument(
        "--output", dest="outputs", action="append", default=[], metavar="NODE=VALUE",
        help="an output given instead of running a node; JSON where it is JSON",
    )  # fmt: skip
    parser.add_argument(
        "-p", dest="pairs", action="append", default=[], metavar="NAME=VALUE",
        help="one param that is to be another",
    )  # fmt: skip
    parser.add_argument("--params", metavar="JSON", help="several of them as one JSON object")
    parser.add_argument("--key", help="idempotency key: a second rerun with it starts nothing")
    parser.add_argument("--version", dest="number", type=int, help="by default the run's own")
    parser.add_argument("--watch", dest="watching", action="store_true", help="follow it at once")
    parser.add_argument("--preview", action="store_true", help="only say what would run again")


def _headings(names: tuple[str, ...]) -> list[str]:
    return [name.upper().removesuffix("_AT").removesuffix("_BY") for name in names]


def _ended(run: Run) -> str:
    return "failed" if run.state == RunState.FAILED else f"ended {run.state}"
