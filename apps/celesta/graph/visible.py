"""What the expressions of one node may read, and the check of each path against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celesta.graph.findings import did_you_mean
from celesta.graph.problems import Severity
from celesta.graph.references import ABSENT, Reference, Steps

#: Members of a node that expressions may read.
NODE_MEMBERS = ("output", "state", "error")
#: Members of ``run``.
RUN_MEMBERS = ("id", "workflow", "version", "started_at")
#: Roots that every expression may read; a map's body reads ``item`` and ``index`` as well.
ROOTS = ("params", "nodes", "vars", "run", "secrets", "connections")
BODY_ROOTS = ("item", "index")
#: Schema keywords that may declare more properties than ``properties`` does.
_OPENING = ("patternProperties", "$ref", "allOf", "anyOf", "oneOf", "if")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one path."""

    code: str
    message: str
    hint: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Document:
    """What all expressions of a document have in common."""

    params: Mapping[str, Any]
    #: Index of each node of the forward pass; the others are only known to exist.
    index: Mapping[str, int]
    names: frozenset[str]
    variables: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Visible:
    """What one node's expressions may read. Sets of nodes are bit sets over ``Document.index``."""

    document: Document
    ancestors: int = 0
    #: Ancestors that have succeeded whenever this node runs.
    certain: int = 0
    #: Upstreams of which at least one has succeeded, whichever.
    one_of: int = 0
    #: True when an edge on the way is faulty: nothing is said about ancestors then.
    uncertain: bool = False
    in_body: bool = False
    #: Weight of ``possibly_absent``. In a run's output, which ends it, that is a warning.
    absence: Severity = "error"
    #: Said of a node that is no ancestor.
    outside: str = field(default="it does not run before this one")

    def fault(self, reference: Reference) -> Fault | None:
        """What is wrong with a path, or None."""
        root = reference.steps[0]
        if root == "nodes":
            return self._node_fault(reference)
        if root == "params":
            return _params_fault(reference, self.document.params)
        if root == "run":
            return _member_fault(reference.steps, RUN_MEMBERS)
        if root in {"vars", "secrets", "connections"}:
            return self._named_fault(reference.steps)
        if root in BODY_ROOTS and self.in_body:
            return None
        return self._root_fault(root)

    def _root_fault(self, root: str) -> Fault:
        if root in BODY_ROOTS:
            hint = "Move the expression into `do`: only a map's body has an item."
            return Fault("unknown_reference", f"{root!r} exists only inside a map.", hint)
        roots = [*ROOTS[:4], *(BODY_ROOTS if self.in_body else ())]
        hint = did_you_mean(root, roots)
        if root in self.document.names:
            hint = f"Write nodes.{root}.output."
        return Fault("unknown_reference", f"There is no {root!r} in expressions.", hint)

    def _named_fault(self, steps: Steps) -> Fault | None:
        root, variables = steps[0], self.document.variables
        prefix = "" if root == "vars" else f"{root}."
        if len(steps) > 1 and "." not in steps[1] and prefix + steps[1] in (variables or ()):
            return None
        if root == "vars":
            if variables is None:
                return None
            known = [name for name in variables if "." not in name]
        else:
            known = [n.removeprefix(prefix) for n in variables or () if n.startswith(prefix)]
        name = ".".join(steps[:2])
        hint = did_you_mean(steps[1], known) if len(steps) > 1 else f"Name one: {root}.<name>."
        return Fault("unknown_reference", f"There is no {name!r} in this workspace.", hint)

    def _node_fault(self, reference: Reference) -> Fault | None:
        steps = reference.steps
        if len(steps) < 3:
            if len(steps) == 2 and steps[1] not in self.document.names:
                return self._unknown_node(steps[1])
            hint = "Write nodes.<name>.output, .state or .error; the name cannot be computed."
            return Fault("unknown_reference", "Which member of which node?", hint)
        name, member = steps[1], steps[2]
        if name not in self.document.names:
            return self._unknown_node(name)
        if member not in NODE_MEMBERS:
            return _member_fault(steps[1:], NODE_MEMBERS)
        return None if self.uncertain else self._ancestor_fault(reference, name, member)

    def _unknown_node(self, name: str) -> Fault:
        hint = did_you_mean(name, self.document.names)
        return Fault("unknown_reference", f"There is no node {name!r}.", hint)

    def _ancestor_fault(self, reference: Reference, name: str, member: str) -> Fault | None:
        index = self.document.index.get(name)
        if index is None or not self.ancestors >> index & 1:
            hint = f"Add {name!r} to `needs`, here or further up."
            message = f"The node {name!r} cannot be read here: {self.outside}."
            return Fault("not_an_ancestor", message, hint)
        if member == "state" or reference.guarded(3):
            return None
        if member == "output" and (self.certain | self._last_left(reference)) >> index & 1:
            return None
        path = ".".join(reference.steps)
        what = "has not failed" if member == "error" else "was skipped or has failed"
        return Fault(
            "possibly_absent",
            f"nodes.{name}.{member} does not exist when {name!r} {what}.",
            f"Write default({path}, <value>), or ask has({path}) first.",
            self.absence,
        )

    def _last_left(self, reference: Reference) -> int:
        """The one of ``one_of`` that has succeeded, where all others are known to be absent."""
        left = self.one_of
        for steps in reference.known:
            if steps[:2] == (ABSENT, "nodes") and steps[3:] == ("output",):
                left &= ~(1 << self.document.index.get(steps[2], len(self.document.index)))
        return left if left.bit_count() == 1 else 0


def _member_fault(steps: Steps, members: tuple[str, ...]) -> Fault | None:
    owner, name = steps[0], steps[1] if len(steps) > 1 else None
    if name in members:
        return None
    if name is None:
        return Fault("unknown_reference", f"Which member of {owner!r}?", did_you_mean("", members))
    hint = did_you_mean(name, members)
    return Fault("unknown_reference", f"{owner!r} has no {name!r}.", hint)


def _params_fault(reference: Reference, schema: Mapping[str, Any]) -> Fault | None:
    """Names below ``params`` against the params schema, as deep as it declares properties."""
    at: Any = schema
    lacking: Fault | None = None
    for depth, name in enumerate(reference.steps[1:], start=2):
        if not isinstance(at, Mapping) or _is_open(at, top=depth == 2):
            break
        properties = at.get("properties") or {}
        path = ".".join(reference.steps[:depth])
        if name not in properties:
            hint = did_you_mean(name, properties) or "Declare it under params.properties."
            return Fault("unknown_reference", f"The params have no {path!r}.", hint)
        if _may_lack(at, name) and not reference.guarded(depth):
            hint = f"Require it, give it a default, or write default({path}, <value>)."
            message = f"{path!r} is not required and has no default."
            lacking = lacking or Fault("possibly_absent", message, hint, "warning")
        at = properties[name]
    return lacking


def _is_open(schema: Mapping[str, Any], *, top: bool) -> bool:
    """True when the schema admits names that it does not list."""
    if any(word in schema for word in _OPENING) or schema.get("additionalProperties"):
        return True
    # Params that are not declared do not exist; a nested object may be left undescribed.
    return not top and not schema.get("properties")


def _may_lack(schema: Mapping[str, Any], name: str) -> bool:
    required = schema.get("required")
    if isinstance(required, list) and name in required:
        return False
    declared = schema["properties"][name]
    return not (isinstance(declared, Mapping) and "default" in declared)
