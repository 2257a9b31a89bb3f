"""The form that asks what of a run is to run again."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from celesta.console.forms.strict_json import StrictJSON
from celesta.engine.rerun import Mode
from celesta.graph.keeping import forward
from celesta.runs import queries
from celesta.runs.errors import EngineError
from celesta.runs.models import Run
from celesta.runs.states import RunState
from celesta.workflows.models import WorkflowVersion

#: Versions offered, the newest first.
VERSIONS: Final = 20

_MODES: Final = (
    (Mode.FAILED.value, "What failed, and all that comes after it"),
    (Mode.NODES.value, "The nodes chosen below, and all that comes after them"),
    (Mode.ALL.value, "Everything"),
)


class RerunForm(forms.Form):
    """Mode, nodes, version and params of a rerun."""

    mode = forms.ChoiceField(choices=_MODES, widget=forms.RadioSelect, label="What runs again")
    nodes = forms.MultipleChoiceField(
        required=False, label="Nodes to begin at", widget=forms.SelectMultiple(attrs={"size": 8})
    )
    version = forms.ChoiceField(label="Version")
    params = StrictJSON(
        label="Params", required=False, widget=forms.Textarea(attrs={"rows": 6, "class": "mono"})
    )

    def __init__(self, run: Run, data: Any, *, initial: dict[str, Any]) -> None:
        chosen = initial.get("nodes")
        # Of a run that has not ended only all can be run again.
        has_failed = run.state in (RunState.FAILED, RunState.CANCELLED)
        first = Mode.NODES if chosen else Mode.FAILED if has_failed else Mode.ALL
        super().__init__(
            data,
            initial={
                **initial,
                "mode": first.value,
                "version": str(run.version.number),
                "params": run.params,
            },
        )
        self.run = run
        names = [node.name for node in forward(queries.plan_of(run.version_id))]
        numbers = list(
            WorkflowVersion.objects.filter(workflow_id=run.workflow_id)
            .order_by("-number")
            .values_list("number", flat=True)[:VERSIONS]
        )
        if run.version.number not in numbers:
            numbers.append(run.version.number)
        self._field("nodes").choices = [(name, name) for name in names]
        current = run.workflow.current.number if run.workflow.current else None
        told = {current: "current", run.version.number: "of this run"}
        self._field("version").choices = [
            (str(n), f"{n} ({told[n]})" if n in told else str(n)) for n in numbers
        ]

    def _field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - they are declared above
        return field

    def clean(self) -> dict[str, Any]:
        """Nodes belong to their mode."""
        cleaned = super().clean() or {}
        if cleaned.get("mode") == Mode.NODES and not cleaned.get("nodes"):
            self.add_error("nodes", "Choose at least one node to begin at.")
        if "params" in cleaned and not isinstance(cleaned["params"] or {}, dict):
            self.add_error("params", "Params are a JSON object.")
        return cleaned

    def asked(self) -> dict[str, Any]:
        """The arguments of ``rerun_run``."""
        mode = Mode(self.cleaned_data["mode"])
        versions = WorkflowVersion.objects.select_related("workflow")
        return {
            "mode": mode,
            "nodes": self.cleaned_data["nodes"] if mode is Mode.NODES else [],
            "version": versions.get(
                workflow_id=self.run.workflow_id, number=int(self.cleaned_data["version"])
            ),
            "params": self.cleaned_data.get("params") or {},
        }

    def told(self) -> str:
        """What was asked for, in a few words."""
        words = {
            Mode.FAILED: "what failed",
            Mode.NODES: ", ".join(self.cleaned_data["nodes"]),
            Mode.ALL: "everything",
        }
        return words[Mode(self.cleaned_data["mode"])]

    def place(self, error: EngineError) -> None:
        """Put a refusal where it belongs."""
        for problem in error.problems:
            field = problem.path.partition(".")[0].partition("[")[0]
            text = " ".join(filter(None, [f"{problem.path}: {problem.message}", problem.hint]))
            self.add_error(field if field in self.fields else None, text)
        if not error.problems:
            self.add_error(None, error.detail)
