"""The author's document, read into values: its shape is checked here, its meaning elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from celesta.graph import fields
from celesta.graph.fields import INVALID, Reader
from celesta.graph.findings import Findings, did_you_mean
from celesta.graph.gates import DEFAULT_RULE, RULES
from celesta.graph.paths import Path
from celesta.graph.plan import Retry, Rule

#: Most nodes and most needs of one node that a document may have.
MAX_NODES = 20_000
MAX_NEEDS = 5_000

#: Names that the compiled plan needs for itself.
RESERVED_NODES = frozenset({"end"})

NODE_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_NODE_RULE = "Use letters, digits and _, not starting with a digit; at most 100 characters."
_WORKFLOW_RULE = (
    "Use small letters, digits and _, in parts joined by . or -; at most 200 characters."
)
_QUEUE_RULE = "Use letters, digits and . _ - :, at most 100 characters."


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of ``needs``: a node, or one case of a branch (``route.express``)."""

    node: str
    case: str | None = None


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node as its author wrote it. None means: not written, a default applies."""

    name: str
    type: str
    title: str = ""
    needs: tuple[tuple[int, Need], ...] = ()
    join: Rule = DEFAULT_RULE
    when: str | None = None
    queue: str | None = None
    priority: int | None = None
    timeout: float | None = None
    retry: Mapping[str, Any] | None = None
    compensates: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    #: Where this node is in the document.
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What applies to every node that does not say otherwise."""

    queue: str = "default"
    timeout: float | None = None
    retry: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 5


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole document."""

    workflow: str = ""
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    defaults: Defaults = field(default_factory=Defaults)
    nodes: Mapping[str, NodeSpec] = field(default_factory=dict)
    output: Any = None
    timeout: float | None = None


def _need(value: Any, path: Path, findings: Findings) -> Any:
    if not isinstance(value, str):
        return fields.wrong_type(value, path, findings, "the name of a node")
    return (path[-1], _need_of(value))


@lru_cache(maxsize=8192)
def _need_of(text: str) -> Need:
    """One value for all nodes that need the same: there may be 50,000 entries."""
    node, dot, case = text.partition(".")
    return Need(node, case if dot else None)


def _join(value: Any, path: Path, findings: Findings) -> Any:
    if value in RULES:
        return value
    hint = did_you_mean(str(value), RULES)
    findings.error("invalid_join", path, f"{value!r} is not a join rule.", hint)
    return INVALID


_queue = fields.name(r"[A-Za-z0-9_.:\-]+", 100, _QUEUE_RULE)
_node_name = fields.name(NODE_NAME, 100, _NODE_RULE)

read_retry = fields.section(
    {
        "attempts": fields.integer(1, 1000),
        "backoff": fields.duration(zero=True),
        "factor": fields.number(1, 100),
        "max": fields.duration(zero=True),
        "jitter": fields.boolean,
    }
)

#: How a node (and the body of a map) says where and how it runs.
RUNNING_FIELDS: dict[str, Reader] = {
    "type": fields.text(100),
    "title": fields.text(200),
    "queue": _queue,
    "retry": read_retry,
    "timeout": fields.duration(),
    "priority": fields.integer(0, 9),
    "with": fields.mapping,
}

_read_node = fields.section(
    {
        **RUNNING_FIELDS,
        "needs": fields.list_of(_need, MAX_NEEDS, "Write it as a list: needs: [fetch]"),
        "join": _join,
        "when": fields.text(10_000),
        "compensates": _node_name,
    },
    required=("type",),
)

_read_body = fields.section(RUNNING_FIELDS, required=("type",))

_read_defaults = fields.section(
    {
        "queue": _queue,
        "timeout": fields.duration(),
        "retry": read_retry,
        "priority": fields.integer(0, 9),
    }
)

_read_document = fields.section(
    {
        "workflow": fields.name(r"[a-z0-9_]+([.-][a-z0-9_]+)*", 200, _WORKFLOW_RULE),
        "title": fields.text(200),
        "description": fields.text(20_000),
        "tags": fields.list_of(fields.text(50), 50),
        "params": fields.mapping,
        "defaults": _read_defaults,
        "nodes": fields.mapping,
        "output": fields.anything,
        "timeout": fields.duration(),
    },
    required=("workflow", "nodes"),
)


def read(data: Any, findings: Findings) -> Spec:
    """The document as values; what is faulty is reported and left out."""
    given = _read_document(data, (), findings)
    if given is INVALID:
        return Spec()
    nodes = _read_nodes(given.pop("nodes", None), findings)
    defaults = Defaults(**given.pop("defaults", {}))
    tags = tuple(given.pop("tags", ()))
    return Spec(nodes=nodes, defaults=defaults, tags=tags, **given)


def _read_nodes(data: dict[str, Any] | None, findings: Findings) -> dict[str, NodeSpec]:
    if data is None:
        return {}
    if not data:
        findings.error(
            "empty_workflow", ("nodes",), "There are no nodes.", "Add at least one node."
        )
    if len(data) > MAX_NODES:
        message = f"{len(data)} nodes; the limit is {MAX_NODES}."
        findings.error("document_too_large", ("nodes",), message, "Use a map or a sub-workflow.")
        return {}
    return {name: _node(name, value, findings) for name, value in data.items()}


def _node(name: str, value: Any, findings: Findings) -> NodeSpec:
    path: Path = ("nodes", name)
    _node_name(name, path, findings)
    if name in RESERVED_NODES:
        hint = "Choose another name: this one is the compiled last node of every run."
        findings.error("invalid_name", path, f"{name!r} is reserved.", hint)
    return _shaped(name, _read_node(value, path, findings), path)


def read_body(of: NodeSpec, findings: Findings) -> NodeSpec | None:
    """The body of a map, under the name ``<map>.do``; None when it has none that is a mapping."""
    if of.config.get("do") is None:
        return None
    path: Path = (*of.path, "with", "do")
    given = _read_body(of.config["do"], path, findings)
    return None if given is INVALID else _shaped(f"{of.name}.do", given, path)


def _shaped(name: str, given: Any, path: Path) -> NodeSpec:
    if given is INVALID:
        return NodeSpec(name=name, type="", path=path)
    given["config"] = given.pop("with", {})
    given["needs"] = tuple(given.pop("needs", ()))
    given.setdefault("type", "")
    return NodeSpec(name=name, path=path, **given)


def retry_of(*layers: Mapping[str, Any] | None) -> Retry:
    """The retry policy that results from layers of settings, later ones winning field by field."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer or {})
    return Retry(**merged)
