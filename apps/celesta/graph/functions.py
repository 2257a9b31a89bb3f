"""Python functions that workflows call: registered by ``@celesta.node``, found by name.

The signature is the contract: it becomes a pydantic model, so that a document's ``args`` are
checked when it is published, shown as a form in the editor, and converted before the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, create_model
from pydantic.fields import FieldInfo

F = TypeVar("F", bound=Callable[..., Any])

#: A function with a parameter of this name is handed the ``NodeContext`` of the attempt.
CONTEXT = "context"
#: Module names that say nothing about what a function does; left out of its default name.
_HOMES = frozenset({"celesta_nodes", "nodes"})


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A registered function. ``Args`` forbids unknown arguments."""

    name: str
    callable: Callable[..., Any]
    Args: type[BaseModel]
    is_async: bool
    wants_context: bool

    @property
    def summary(self) -> str:
        """The first line of its docstring, or nothing."""
        return (inspect.getdoc(self.callable) or "").partition("\n")[0]

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of its arguments."""
        return self.Args.model_json_schema()


_functions: dict[str, FunctionSpec] = {}


@overload
def node(name: F) -> F: ...
@overload
def node(name: str | None = None) -> Callable[[F], F]: ...
def node(name: F | str | None = None) -> F | Callable[[F], F]:
    """Register a function (``def`` or ``async def``) as one that nodes may call; it stays as it is.

    Written ``@node``, ``@node()`` or ``@node("shop.ship")``. The default name is the function's own
    behind that of its module, where ``shop.celesta_nodes`` and ``shop.nodes`` count as ``shop``.
    Raises TypeError for a signature that cannot be called by names, and ValueError when another
    function has the name.
    """
    if callable(name):
        _register(name, None)
        return name

    def decorate(function: F) -> F:
        _register(function, name)
        return function

    return decorate


def get(name: str) -> FunctionSpec | None:
    """The function of that name, or None."""
    return _functions.get(name)


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function, which is registered under its default name if it is not yet."""
    for spec in _functions.values():
        if spec.callable is function:
            return spec.name
    _register(function, None)
    return default_name(function)


def names() -> list[str]:
    """Names of all registered functions, sorted."""
    return sorted(_functions)


def _register(function: Callable[..., Any], name: str | None) -> None:
    spec = describe(function, name or default_name(function))
    known = _functions.get(spec.name)
    if known is not None and not _same(known.callable, function):
        where = f"{known.callable.__module__}.{known.callable.__qualname__}"
        raise ValueError(f"a node function {spec.name!r} is already registered by {where}")
    _functions[spec.name] = spec


def _same(known: Callable[..., Any], function: Callable[..., Any]) -> bool:
    """True when a module was only loaded again, as ``make dev`` does."""
    return (known.__module__, known.__qualname__) == (function.__module__, function.__qualname__)


def default_name(function: Callable[..., Any]) -> str:
    """The name that ``@node`` gives a function by itself."""
    *packages, module = function.__module__.split(".")
    home = packages if module in _HOMES else [*packages, module]
    return ".".join([*home, function.__name__])


def describe(function: Callable[..., Any], name: str) -> FunctionSpec:
    """The spec of a function, without registering it."""
    parameters = list(inspect.signature(function).parameters.values())
    wants_context = any(parameter.name == CONTEXT for parameter in parameters)
    hints = _hints(function)
    fields = {
        parameter.name: _field(parameter, hints, name)
        for parameter in parameters
        if parameter.name != CONTEXT
    }
    return FunctionSpec(
        name=name,
        callable=function,
        Args=_model(name, fields),
        is_async=inspect.iscoroutinefunction(function),
        wants_context=wants_context,
    )


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError:
        # An annotation that exists only for type checkers (TYPE_CHECKING), such as NodeContext's.
        # The others still count where they are no texts.
        given = inspect.get_annotations(function)
        return {key: hint for key, hint in given.items() if not isinstance(hint, str)}


def _field(parameter: inspect.Parameter, hints: dict[str, Any], name: str) -> tuple[Any, Any]:
    if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
        raise TypeError(
            f"node function {name!r}: parameter {parameter} cannot be given by name; nodes pass "
            "arguments by name, so use plain parameters"
        )
    required = parameter.default is parameter.empty
    default = FieldInfo() if required else FieldInfo(default=parameter.default)
    return hints.get(parameter.name, Any), default


def _model(name: str, fields: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False, protected_namespaces=())
    try:
        made: Any = create_model(f"{name} arguments", __config__=config, **fields)  # type: ignore[call-overload]
    except PydanticSchemaGenerationError as error:
        raise TypeError(
            f"node function {name!r} takes a type that JSON cannot carry: {error.message}"
        ) from None
    return made
