"""Functions become nodes: names, signatures, the context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

import celesta
from celesta.graph import functions

if TYPE_CHECKING:
    from celesta_worker.context import NodeContext


@dataclass
class Line:
    sku: str
    count: int = 1


def test_the_signature_becomes_the_schema_of_the_arguments() -> None:
    def ship(order: int, lines: list[Line], *, express: bool = False) -> None:
        """Send it off.

        More words.
        """

    spec = functions.describe(ship, "shop.ship")
    args = spec.Args.model_validate({"order": "7", "lines": [{"sku": "x"}]})
    assert args.__dict__ == {"order": 7, "lines": [Line("x")], "express": False}
    assert spec.schema["required"] == ["order", "lines"]
    assert spec.schema["properties"]["express"] == {
        "default": False, "title": "Express", "type": "boolean"
    }  # fmt: skip
    assert (spec.summary, spec.is_async, spec.wants_context) == ("Send it off.", False, False)
    with pytest.raises(ValidationError, match="extra"):
        spec.Args.model_validate({"order": 1, "lines": [], "oops": 1})


def test_a_parameter_named_context_is_not_the_authors_to_give() -> None:
    async def later(context: NodeContext, seconds: float) -> None: ...

    def last(seconds: float, context: Any) -> None: ...

    spec = functions.describe(later, "x")
    assert (spec.is_async, spec.wants_context) == (True, True)
    assert list(spec.Args.model_fields) == ["seconds"]
    assert functions.describe(last, "x").wants_context


def test_a_function_is_found_under_its_name() -> None:
    @celesta.node("tests.graph.named")
    def named() -> int:
        return 1

    @celesta.node
    def bare() -> int:
        return 2

    @celesta.node()
    def called() -> int:
        return 3

    assert named() + bare() + called() == 6
    assert functions.get("tests.graph.named")
    for function in (bare, called):
        assert functions.get(f"{__name__}.{function.__name__}")
    assert functions.get("tests.graph.nobody") is None
    assert "tests.graph.named" in functions.names()
    assert functions.name_of(named) == "tests.graph.named"


def test_the_default_name_leaves_out_the_module_that_holds_nodes() -> None:
    def ship() -> None: ...

    for module, name in (
        ("shop.celesta_nodes", "shop.ship"),
        ("shop.nodes", "shop.ship"),
        ("shop.orders.work", "shop.orders.work.ship"),
    ):
        ship.__module__ = module
        assert functions.default_name(ship) == name


def test_a_name_belongs_to_one_function_but_a_module_may_be_loaded_again() -> None:
    def make() -> Callable[..., Any]:
        def twin() -> None: ...

        return twin

    functions.node("tests.graph.twin")(make())
    functions.node("tests.graph.twin")(make())

    def other() -> None: ...

    with pytest.raises(ValueError, match="already registered"):
        functions.node("tests.graph.twin")(other)


def test_signatures_that_cannot_be_called_by_name_are_refused() -> None:
    def positional(a: int, /) -> None: ...

    def many(*items: int) -> None: ...

    def anything(**more: int) -> None: ...

    for function in (positional, many, anything):
        with pytest.raises(TypeError, match="by name"):
            functions.describe(function, "x")


def test_types_that_json_cannot_carry_are_refused() -> None:
    class Socket: ...

    def connect(socket: Socket) -> None: ...

    connect.__annotations__["socket"] = Socket
    with pytest.raises(TypeError, match="JSON cannot carry"):
        functions.describe(connect, "x")
