"""Checks every expression of a document, and notes what each node reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from celesta.graph import certainty, references, templates
from celesta.graph.build import END, Uses
from celesta.graph.cel.parser import parse
from celesta.graph.cel.syntax import CelSyntaxError
from celesta.graph.findings import Findings
from celesta.graph.needs import Edges
from celesta.graph.node_types import Registry
from celesta.graph.paths import Path
from celesta.graph.references import NOTHING, Known
from celesta.graph.spec import NodeSpec, Spec
from celesta.graph.topology import Topology
from celesta.graph.visible import Document, Visible


@dataclass(slots=True)
class Expressions:
    """What the compiler learned from the expressions, by the name of the plan's node."""

    uses: dict[str, Uses] = field(default_factory=dict)
    #: Conditions as one whole template each, cases of branches included.
    conditions: dict[str, str] = field(default_factory=dict)


class Checker:
    """Goes through the nodes in topological order, so that what is certain upstream is known."""

    def __init__(
        self,
        spec: Spec,
        edges: Edges,
        topology: Topology,
        registry: Registry,
        variables: Collection[str] | None,
        findings: Findings,
    ) -> None:
        self._spec, self._edges, self._topology = spec, edges, topology
        self._registry, self._findings = registry, findings
        forward = {name for name, node in spec.nodes.items() if node.compensates is None}
        self._document = Document(
            params=spec.params,
            index=topology.index,
            names=frozenset(forward),
            variables=None if variables is None else frozenset(variables),
        )
        #: Ancestors that are sure to have succeeded, by node index.
        self._certain = certainty.Certain()
        self._found = Expressions()

    def check(self, bodies: Mapping[str, NodeSpec]) -> Expressions:
        """Check everything; problems go to the findings."""
        for index, name in enumerate(self._topology.order):
            self._forward_node(index, self._spec.nodes[name], bodies)
        for name, node in self._spec.nodes.items():
            if node.compensates is not None:
                self._compensation(node)
            elif name not in self._topology.index:  # in a cycle, or behind one
                visible = Visible(self._document, uncertain=True)
                self._node(node, visible, self._condition(node, visible), bodies)
        self._output()
        return self._found

    def _forward_node(self, index: int, node: NodeSpec, bodies: Mapping[str, NodeSpec]) -> None:
        topology = self._topology
        certain = self._certain.before(node.join, topology.upstreams[index])
        visible = Visible(
            self._document,
            ancestors=topology.ancestors[index],
            certain=certain,
            one_of=certainty.one_of(node.join, topology.upstreams[index]),
            uncertain=bool(topology.uncertain >> index & 1),
        )
        known = self._condition(node, visible)
        self._certain.add(
            node.join,
            topology.upstreams[index],
            certain,
            known=self._succeeded(known),
            conditional=node.name in self._found.conditions,
        )
        self._node(node, visible, known, bodies)

    def _succeeded(self, known: Known) -> int:
        """Nodes whose output is known to exist, as a bit set."""
        found = 0
        for steps in known:
            if steps[0] == "nodes" and steps[2:3] == ("output",):
                index = self._topology.index.get(steps[1])
                found |= 0 if index is None else 1 << index
        return found

    def _node(
        self, node: NodeSpec, visible: Visible, known: Known, bodies: Mapping[str, NodeSpec]
    ) -> None:
        self._config(node, visible, known)
        body = bodies.get(node.name)
        if body is not None:
            self._config(body, replace(visible, in_body=True), known)

    def _compensation(self, node: NodeSpec) -> None:
        index = self._topology.index.get(node.compensates or "")
        if index is None:
            self._config(node, Visible(self._document, uncertain=True), NOTHING)
            return
        own = 1 << index
        visible = Visible(
            self._document,
            ancestors=self._topology.ancestors[index] | own,
            certain=self._certain.by_success[index] | own,
            uncertain=bool(self._topology.uncertain >> index & 1),
            outside=f"it does not run before {node.compensates!r}, which this node undoes",
        )
        self._config(node, visible, NOTHING)

    def _output(self) -> None:
        topology = self._topology
        specs = [self._spec.nodes[name] for name in topology.order]
        sure = certainty.at_the_end(
            [node.join for node in specs],
            topology.upstreams,
            [node.name in self._found.conditions for node in specs],
        )
        visible = Visible(
            self._document,
            ancestors=(1 << len(specs)) - 1,
            certain=sure,
            uncertain=bool(topology.uncertain) or len(topology.index) < len(self._document.names),
            absence="warning",
        )
        self._values(END, self._spec.output, ("output",), visible, NOTHING)

    # --- single expressions ---

    def _condition(self, node: NodeSpec, visible: Visible) -> Known:
        """Check a node's condition, its branches' cases included; returns what it makes sure of."""
        own = self._own_condition(node)
        terms = [*self._case_terms(node.name, visible), *([] if own is None else [own])]
        if not terms:
            return NOTHING
        source = terms[0] if len(terms) == 1 else " && ".join(f"({term})" for term in terms)
        self._found.conditions[node.name] = f"{{{{ {source} }}}}"
        path: Path = (*node.path, "when")
        return self._expression(node.name, source, path, visible, NOTHING, own or source)

    def _own_condition(self, node: NodeSpec) -> str | None:
        if node.when is None:
            return None
        try:
            source = templates.bare(node.when)
            parse(source)
        except CelSyntaxError as error:
            self._syntax_problem(error, (*node.path, "when"), node.when, templates.inner(node.when))
            return None
        return source

    def _case_terms(self, name: str, visible: Visible) -> list[str]:
        """``needs: [route.express]`` as conditions on the output of ``route``."""
        terms = []
        for branch, cases in self._edges.cases.get(name, {}).items():
            taken = f"nodes.{branch}.output.case"
            index = self._topology.index.get(branch)
            if index is None or not visible.certain >> index & 1:
                taken = f"has(nodes.{branch}.output) && {taken}"
            wanted = ", ".join(f"'{case}'" for case in cases)
            terms.append(f"{taken} == {wanted}" if len(cases) == 1 else f"{taken} in [{wanted}]")
        return terms

    def _config(self, node: NodeSpec, visible: Visible, known: Known) -> None:
        node_type = self._registry.get(node.type)
        foreign: frozenset[str] = getattr(node_type, "unresolved", frozenset())
        for key, value in node.config.items():
            if key not in foreign:
                self._values(node.name, value, (*node.path, "with", key), visible, known)

    def _values(self, name: str, value: Any, path: Path, visible: Visible, known: Known) -> None:
        """Check all templates inside a value."""
        stack: list[tuple[Any, Path]] = [(value, path)]
        while stack:
            item, where = stack.pop()
            if isinstance(item, str):
                if "{{" in item:
                    self._template(name, item, where, visible, known)
            elif isinstance(item, Mapping):
                stack.extend((child, (*where, key)) for key, child in item.items())
            elif isinstance(item, list):
                stack.extend((child, (*where, at)) for at, child in enumerate(item))

    def _template(self, name: str, text: str, path: Path, visible: Visible, known: Known) -> None:
        try:
            holes = templates.parse(text).holes
        except CelSyntaxError as error:
            self._syntax_problem(error, path, text, text)
            return
        for hole in holes:
            self._expression(name, hole.source, path, visible, known, hole.source)

    def _expression(
        self,
        name: str,
        source: str,
        path: Path,
        visible: Visible,
        known: Known,
        written: str,
    ) -> Known:
        """Check one expression; ``written`` is the part of it that stands in the document."""
        try:
            tree = parse(source)
        except CelSyntaxError as error:
            self._syntax_problem(error, path, source, written)
            return NOTHING
        shift = source.rfind(written)
        found = references.read(tree, known)
        for reference in found:
            fault = visible.fault(reference)
            if fault is not None:
                at = max(0, reference.span.start - shift)
                self._findings.error(
                    fault.code,
                    path,
                    fault.message,
                    fault.hint,
                    fragment=(written, at),
                    severity=fault.severity,
                )
        self._note(name, found)
        return references.facts(tree, outcome=True)

    def _note(self, name: str, found: list[references.Reference]) -> None:
        roots = {reference.steps[0] for reference in found}
        nodes = {r.steps[1] for r in found if r.steps[0] == "nodes" and len(r.steps) > 1}
        before = self._found.uses.get(name, Uses())
        self._found.uses[name] = Uses(
            before.nodes | (nodes & self._topology.index.keys()),
            before.params or "params" in roots,
            before.vars or "vars" in roots,
            # A path that is only `run` reads all of it.
            before.start or any(r.steps[:2] in (("run",), ("run", "started_at")) for r in found),
        )

    def _syntax_problem(self, error: CelSyntaxError, path: Path, text: str, fragment: str) -> None:
        message = (
            f"{str(error)[:1].upper()}{str(error)[1:]} (column {error.at + 1} of {text!r:.80})."
        )
        hint = "See the expression language in docs/workflows.md."
        self._findings.error(
            "expression_syntax", path, message, hint, fragment=(fragment, error.at)
        )
