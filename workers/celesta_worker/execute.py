"""One attempt of one node, from the plan's config to an outcome that can be stored.

``resolve -> validate -> run -> normalise``: whatever the node's code does, an answer comes back.
Only :class:`~celesta_worker.interrupts.NodeInterrupted` passes: then the node is handed back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from celesta.engine import settling
from celesta.graph.node_types import Registry, registry
from celesta.graph.plan import Plan, PlanNode
from celesta.runs.outcomes import Failed, Outcome, Skipped
from celesta_worker import asyncio_loop
from celesta_worker.context import NodeContext
from celesta_worker.failures import failed
from celesta_worker.finish import Finished, finish
from celesta_worker.interrupts import NodeInterrupted, SoftTimeout
from celesta_worker.log_lines import speaking
from celesta_worker.nodes.base import NodeTypeBase
from celesta_worker.nodes.checks import has_template

#: Entered around the node's body only: the keeper's permission to interrupt it.
Guard = Callable[[NodeContext], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan's node with all that can be done before any run: made once, used by every run."""

    node: PlanNode
    type: NodeTypeBase[Any] | None
    #: The validated config, when nothing in it has to be resolved.
    config: BaseModel | None
    #: True when the node awaits: it may share its slot with others, see ``AsyncBatch``.
    is_async: bool


class PreparedPlan:
    """The prepared nodes of a plan, by index, each made when it is first needed."""

    def __init__(self, plan: Plan, types: Registry = registry) -> None:
        self.plan = plan
        self._types = types
        self._nodes: list[Prepared | None] = [None] * len(plan.nodes)

    def __getitem__(self, index: int) -> Prepared:
        prepared = self._nodes[index]
        if prepared is None:
            prepared = self._nodes[index] = prepare(self.plan.nodes[index], self._types)
        return prepared


def prepare(node: PlanNode, types: Registry = registry) -> Prepared:
    """Do once what every run of this node would repeat. Never raises: a run says what is wrong."""
    found = types.get(node.type)
    if not isinstance(found, NodeTypeBase):
        return Prepared(node, None, None, is_async=False)
    config: BaseModel | None = None
    if not has_template(settling.own_part(found, node.config)):
        try:
            config = found.Config.model_validate(dict(node.config))
        except ValidationError:
            config = None  # published under another release of the node type: the run will say so
    return Prepared(node, found, config, is_async=found.is_async(node.config))


def execute(prepared: Prepared, context: NodeContext, *, guard: Guard | None = None) -> Finished:
    """Run one attempt in this thread. Raises NodeInterrupted when it was told to hand back."""
    try:
        if prepared.is_async:
            with guard(context) if guard else nullcontext():
                return asyncio_loop.wait_for(execute_async(prepared, context))
        before = _before(prepared, context)
        if isinstance(before, Skipped | Failed):
            return Finished(before)
        node_type, config = before
        # A copied context: what a node sets (language, time zone, log fields) ends with the node.
        if guard is None:
            return finish(copy_context().run(_body, node_type, config, context))
        with guard(context):
            outcome = copy_context().run(_body, node_type, config, context)
        return finish(outcome)
    except BaseException as error:  # noqa: BLE001 - node code may raise anything, SystemExit too
        return Finished(_caught(error, context))
    finally:
        if context.lines is not None:
            context.lines.end()


def _body(node_type: NodeTypeBase[Any], config: BaseModel, context: NodeContext) -> Outcome:
    speaking.set(context)  # in the copied context: it ends with the body
    return node_type.run(config, context)


async def execute_async(prepared: Prepared, context: NodeContext) -> Finished:
    """Run one attempt on the event loop, its timeout included."""
    deadline = asyncio.timeout(context.timeout)
    try:
        before = _before(prepared, context)
        if isinstance(before, Skipped | Failed):
            return Finished(before)
        node_type, config = before
        speaking.set(context)  # of this task only
        async with deadline:
            outcome = await node_type.arun(config, context)
        return finish(outcome)
    except TimeoutError as error:
        late = deadline.expired()  # else the node's own: asyncio's class is the built-in one
        return Finished(_caught(SoftTimeout() if late else error, context))
    except BaseException as error:  # as above: whatever node code raises is the node's outcome
        if isinstance(error, asyncio.CancelledError) and _is_cancelling():
            raise
        return Finished(_caught(error, context))
    finally:
        if context.lines is not None:
            context.lines.end()


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _before(
    prepared: Prepared, context: NodeContext
) -> Skipped | Failed | tuple[NodeTypeBase[Any], BaseModel]:
    """The node type and its resolved config, or why the node does not run."""
    node, node_type = prepared.node, prepared.type
    if node_type is None:
        # Retryable: during a rolling upgrade another worker may know it.
        return Failed(f"this worker knows no node type {node.type!r}", code="unknown_node_type")
    settled = settling.settled(node, node_type, context.scope, prepared.config)
    return settled if isinstance(settled, Skipped | Failed) else (node_type, settled)


def _caught(error: BaseException, context: NodeContext) -> Failed:
    """The failure for what came out of the node's body. Hand-backs are raised again."""
    if isinstance(error, SoftTimeout):
        limit = f"{context.timeout:g} s" if context.timeout else "its time"
        return failed(error, code="timeout", message=f"the node ran longer than {limit}")
    if isinstance(error, NodeInterrupted):
        raise error
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return failed(error, code="node_exited")
    return failed(error)
