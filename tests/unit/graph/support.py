"""Node types and shorthands for tests of the graph: no worker package is needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from celesta.graph import documents
from celesta.graph.compiler import Compiled, compile_document
from celesta.graph.node_types import Registry
from celesta.graph.plan import Plan, PlanNode
from celesta.graph.problems import Problem


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TransformConfig(Strict):
    output: Any = None


class HttpConfig(Strict):
    url: str
    method: str = "GET"
    retries_on: list[int] = Field(default=[502, 503])
    size: int | None = Field(default=None, ge=1)


class PythonConfig(Strict):
    function: str
    args: dict[str, Any] = {}


class MapConfig(Strict):
    over: Any
    do: dict[str, Any]
    max_parallel: int | None = Field(default=None, ge=1)


class BranchConfig(Strict):
    cases: dict[str, Any]
    default: str | None = None


class ApprovalConfig(Strict):
    title: str
    approvers: list[str] = []


class SizeRule(Strict):
    kind: Literal["size"]
    most: int = Field(ge=0)


class TimeRule(Strict):
    kind: Literal["time"]
    most: float


class Pair(Strict):
    low: int
    high: Any

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not isinstance(self.high, int) or self.high < self.low:
            raise ValueError("high is below low")
        return self


class LimitsConfig(Strict):
    rules: list[Annotated[SizeRule | TimeRule, Field(discriminator="kind")]] = []
    pair: Pair | None = None


class _Type:
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    waits: ClassVar[bool] = False
    unresolved: ClassVar[frozenset[str]] = frozenset()

    def check(self, config: Mapping[str, Any], path: str) -> list[Problem]:
        return []


class Transform(_Type):
    name: ClassVar[str] = "transform"
    Config: ClassVar[type[BaseModel]] = TransformConfig


class Http(_Type):
    name: ClassVar[str] = "http"
    Config: ClassVar[type[BaseModel]] = HttpConfig


class Python(_Type):
    name: ClassVar[str] = "python"
    Config: ClassVar[type[BaseModel]] = PythonConfig

    def check(self, config: Mapping[str, Any], path: str) -> list[Problem]:
        if config["function"] == "shop.gone":
            return [Problem("unknown_function", f"{path}.function", "No such function.")]
        return []


class Map(_Type):
    name: ClassVar[str] = "map"
    waits: ClassVar[bool] = True
    unresolved: ClassVar[frozenset[str]] = frozenset({"do"})
    Config: ClassVar[type[BaseModel]] = MapConfig


class Branch(_Type):
    name: ClassVar[str] = "branch"
    Config: ClassVar[type[BaseModel]] = BranchConfig


class Limits(_Type):
    name: ClassVar[str] = "limits"
    Config: ClassVar[type[BaseModel]] = LimitsConfig


class Approval(_Type):
    name: ClassVar[str] = "approval"
    waits: ClassVar[bool] = True
    Config: ClassVar[type[BaseModel]] = ApprovalConfig


TYPES = Registry()
for _type in (Transform(), Http(), Python(), Map(), Branch(), Approval(), Limits()):
    TYPES.register(_type)


def compiled(source: str | dict[str, Any], variables: Collection[str] | None = None) -> Compiled:
    """Compile YAML text (with positions) or data."""
    if not isinstance(source, str):
        return compile_document(source, registry=TYPES, variables=variables)
    loaded = documents.load(source)
    return compile_document(
        loaded.data, positions=loaded.positions, registry=TYPES, variables=variables
    )


def plan_of(source: str | dict[str, Any]) -> Plan:
    """The plan of a valid document."""
    result = compiled(source)
    assert result.plan is not None, result.problems
    return result.plan


def node_of(source: str | dict[str, Any], name: str) -> PlanNode:
    return plan_of(source).by_name()[name]


def faults(
    source: str | dict[str, Any], variables: Collection[str] | None = None
) -> list[tuple[str, str]]:
    """Code and path of each error."""
    problems = compiled(source, variables).problems
    return [(p.code, p.path) for p in problems if p.severity == "error"]


def warnings(source: str | dict[str, Any]) -> list[tuple[str, str]]:
    """Code and path of each warning."""
    problems = compiled(source).problems
    return [(p.code, p.path) for p in problems if p.severity == "warning"]


def flow(nodes: str | dict[str, Any], head: str = "") -> dict[str, Any]:
    """A document of these nodes, given as YAML or data; ``head`` are more fields, as YAML."""
    given = documents.load(nodes).data if isinstance(nodes, str) else nodes
    more = documents.load(head).data if head else {}
    return {"workflow": "tests.flow", **more, "nodes": given}


def chain(*names: str) -> dict[str, Any]:
    """Transforms, one behind the other."""
    nodes: dict[str, Any] = {}
    for before, name in zip((None, *names), names, strict=False):
        nodes[name] = {"type": "transform", **({"needs": [before]} if before else {})}
    return nodes
