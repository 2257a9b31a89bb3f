"""A shop's warehouse and till, for the template `order-fulfilment`. State is a folder of files.

What makes each step safe to repeat is the point: a file named by the idempotency key is written
once, however often the step is tried.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import gettempdir

from pydantic import BaseModel

import celesta
from celesta_worker.context import NodeContext

PRICES = {"tea": 450, "cup": 900, "kettle": 9900}


class Line(BaseModel):
    """One line of an order."""

    sku: str
    count: int = 1


class OutOfStock(Exception):
    """The warehouse has none of it."""


def folder() -> Path:
    """Where the shop keeps its records: `CELESTA_EXAMPLE_SHOP`, or a temporary folder."""
    place = Path(os.environ.get("CELESTA_EXAMPLE_SHOP") or Path(gettempdir()) / "celesta-shop")
    place.mkdir(parents=True, exist_ok=True)
    return place


def _record(kind: str, key: str, what: dict[str, object]) -> str:
    name = f"{kind}-{key}".replace("/", "_").replace(":", "_")
    (folder() / f"{name}.json").write_text(json.dumps(what))
    return name


@celesta.node("examples.shop.price")
def price(lines: list[Line]) -> dict[str, object]:
    """What an order costs, in cents."""
    unknown = [line.sku for line in lines if line.sku not in PRICES]
    if unknown:
        raise ValueError(f"not for sale: {', '.join(unknown)}")
    return {"cents": sum(PRICES[line.sku] * line.count for line in lines)}


@celesta.node("examples.shop.reserve")
def reserve(context: NodeContext, line: Line) -> str:
    """Put goods aside; kettles are sold out."""
    if line.sku == "kettle":
        raise OutOfStock(f"no {line.sku} is left")
    return _record("reserved", context.idempotency_key, line.model_dump())


@celesta.node("examples.shop.release")
def release(reserved: list[str]) -> int:
    """Put goods back."""
    for name in reserved:
        (folder() / f"{name}.json").unlink(missing_ok=True)
    return len(reserved)


@celesta.node("examples.shop.charge")
def charge(context: NodeContext, order_id: int, cents: int) -> str:
    """Take the money, once."""
    return _record("charged", context.idempotency_key, {"order": order_id, "cents": cents})


@celesta.node("examples.shop.refund")
def refund(charged: str) -> str:
    """Give the money back."""
    (folder() / f"{charged}.json").unlink(missing_ok=True)
    return charged


@celesta.node("examples.shop.ship")
def ship(order_id: int, reserved: list[str]) -> dict[str, object]:
    """Hand the parcel over."""
    return {"parcel": f"P{order_id:06}", "pieces": len(reserved)}
