"""``python``: call a function that was registered with ``@celesta.node``."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import Field, ValidationError

from celesta.graph import functions
from celesta.graph.problems import Problem
from celesta.runs.outcomes import Expand, Failed, Foreign, Outcome, Succeeded
from celesta_worker import asyncio_loop
from celesta_worker.context import NodeContext
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase
from celesta_worker.nodes.checks import fresh, validate_config

_OUTCOMES = get_args(Outcome)


class PythonConfig(NodeConfig):
    """What a ``python`` node is told."""

    function: str = Field(
        title="Function",
        min_length=1,
        description="Name of a function registered with @celesta.node.",
    )
    args: dict[str, Any] = Field(
        default_factory=dict,
        title="Arguments",
        description="Arguments by name, checked against the function's signature.",
    )


class PythonNode(NodeTypeBase[PythonConfig]):
    """Runs in the worker's own process; ``async def`` functions share a slot with others."""

    name = "python"
    title = "Python function"
    summary = "Calls a registered Python function and keeps what it returns."
    Config = PythonConfig
    literal = frozenset({"function"})

    def check_meaning(self, config: Mapping[str, Any], path: str) -> Iterable[Problem]:
        """The function must be registered, and the arguments must fit its signature."""
        spec = functions.get(config["function"])
        if spec is None:
            return [_unknown(config["function"], f"{path}.function")]
        args = config.get("args", {})
        if not isinstance(args, Mapping):  # one template for all of them: the run will tell
            return []
        return validate_config(spec.Args, args, f"{path}.args")

    def is_async(self, config: Mapping[str, Any]) -> bool:
        """Tell whether the function is an ``async def``."""
        spec = functions.get(str(config.get("function")))
        return spec is not None and spec.is_async

    def run(self, config: PythonConfig, context: NodeContext) -> Outcome:
        """Call a plain function."""
        call = _prepare(config, context)
        if isinstance(call, Failed):
            return call
        result = call[0](**call[1])
        if inspect.iscoroutine(result):  # an async function behind a plain decorator
            result = asyncio_loop.wait_for(result)
        return _outcome(result)

    async def arun(self, config: PythonConfig, context: NodeContext) -> Outcome:
        """Await an ``async def`` function."""
        call = _prepare(config, context)
        return call if isinstance(call, Failed) else _outcome(await call[0](**call[1]))


def _prepare(config: PythonConfig, context: NodeContext) -> Failed | tuple[Any, dict[str, Any]]:
    """The callable and its keyword arguments, or why it cannot be called."""
    spec = functions.get(config.function)
    if spec is None:  # retryable: during a rolling upgrade another worker may have it
        problem = _unknown(config.function, "with.function")
        return Failed(f"{problem.message} {problem.hint}", code=problem.code)
    try:
        # A copy: the function may change its arguments, the config serves other runs as well.
        arguments = spec.Args.model_validate(fresh(config.args))
    except ValidationError as error:
        return _invalid(config.function, error)
    keywords = dict(arguments.__dict__)
    if spec.wants_context:
        keywords["context"] = context
    return spec.callable, keywords


def _outcome(result: Any) -> Outcome:
    """A function returns its output, or an outcome to say more than that."""
    if isinstance(result, Expand | Foreign):
        return Failed(
            f"a function cannot answer {type(result).__name__}; use a map or celery node",
            code="outcome_not_allowed",
            retryable=False,
        )
    return result if isinstance(result, _OUTCOMES) else Succeeded(result)


def _unknown(name: str, path: str) -> Problem:
    near = get_close_matches(name, functions.names(), 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return Problem(
        "unknown_function",
        path,
        f"No function {name!r} is registered.",
        f"{hint}Decorate it with @celesta.node in a module that every process imports "
        "(celesta_nodes.py of an installed app).",
    )


def _invalid(name: str, error: ValidationError) -> Failed:
    found = [
        {"path": ".".join(["with.args", *map(str, item["loc"])]), "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = found[0]
    return Failed(
        f"the arguments do not fit {name}: {first['path']}: {first['message']}",
        code="invalid_args",
        retryable=False,
        details={"errors": found},
    )
