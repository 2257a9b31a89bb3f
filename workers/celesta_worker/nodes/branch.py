"""``branch``: name the case that holds; nodes that need another case are skipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from celesta.graph.problems import Problem
from celesta.runs.outcomes import Failed, Outcome, Succeeded
from celesta_worker.context import NodeContext
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase
from celesta_worker.nodes.checks import child, has_template

CaseName = Annotated[str, Field(min_length=1, max_length=100)]


class Case(NodeConfig):
    """One entry of the list form of ``cases``."""

    case: CaseName = Field(title="Case", description="Name of the case.")
    when: Any = Field(title="When", description="An expression that gives true or false.")


def _form(value: Any) -> str:
    return "list" if isinstance(value, list) else "mapping"


Cases = Annotated[
    Annotated[dict[CaseName, Any], Field(min_length=1), Tag("mapping")]
    | Annotated[list[Case], Field(min_length=1), Tag("list")],
    Discriminator(_form),
]


class BranchConfig(NodeConfig):
    """What a ``branch`` node is told."""

    cases: Cases = Field(
        title="Cases",
        description="Conditions by the name of their case, of which at most one may hold; "
        "or a list of {case, when}, of which the first that holds is taken.",
    )
    default: CaseName | None = Field(
        default=None,
        title="Default",
        description="The case taken when no condition holds. Without it the node fails then.",
    )


class BranchNode(NodeTypeBase[BranchConfig]):
    """The conditions were resolved before the node ran: what is left is to choose."""

    name = "branch"
    title = "Branch"
    summary = "Chooses one of several cases; nodes that need another case are skipped."
    Config = BranchConfig

    def check_meaning(self, config: Mapping[str, Any], path: str) -> Iterable[Problem]:
        """Conditions are expressions (or true and false), and names do not repeat."""
        if isinstance(config["cases"], str):
            yield Problem(
                "template_not_allowed",
                f"{path}.cases",
                "The names of the cases must be written out: other nodes refer to them.",
                "Write a mapping from names to conditions.",
            )
            return
        names: set[str] = set()
        for where, name, condition in _written(config["cases"], f"{path}.cases"):
            if not isinstance(condition, bool) and not has_template(condition):
                yield Problem(
                    "invalid_config",
                    where,
                    "A condition is an expression that gives true or false.",
                    "Write it as '{{ params.total > 100 }}'.",
                )
            if name in names:
                yield Problem("duplicate_case", where, f"The case {name!r} is there twice.")
            names.add(name)

    def run(self, config: BranchConfig, context: NodeContext) -> Outcome:
        """Succeed with ``{"case": name}``."""
        return self.foretell(config)

    def foretell(self, config: BranchConfig) -> Outcome:
        """The same: nothing but the config matters."""
        pairs = list(_pairs(config.cases))
        for name, holds in pairs:
            if not isinstance(holds, bool):
                return _failed("case_not_bool", f"case {name!r} gave {holds!r:.100}, not a boolean")
        chosen = [name for name, holds in pairs if holds]
        if len(chosen) > 1 and isinstance(config.cases, dict):
            # A mapping has no order once it is stored, so that "the first" would mean nothing.
            return _failed(
                "several_cases_matched",
                f"the cases {', '.join(sorted(chosen))} all hold; make them exclude each other, or "
                "write `cases` as a list, of which the first that holds is taken",
            )
        if chosen or config.default is not None:
            return Succeeded({"case": chosen[0] if chosen else config.default})
        return _failed("no_case_matched", "no case holds and there is no default")


def _written(cases: Any, path: str) -> Iterable[tuple[str, str, Any]]:
    """Path, name and condition of each case as the author wrote them."""
    if isinstance(cases, Mapping):
        return [(child(path, name), name, condition) for name, condition in cases.items()]
    return [(f"{path}[{i}]", case["case"], case["when"]) for i, case in enumerate(cases)]


def _pairs(cases: dict[str, Any] | list[Case]) -> Iterable[tuple[str, Any]]:
    return cases.items() if isinstance(cases, dict) else [(case.case, case.when) for case in cases]


def _failed(code: str, message: str) -> Failed:
    return Failed(message, code=code, retryable=False)
