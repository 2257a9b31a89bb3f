"""Tasks of a small shop, as they have been running for years."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

PRICES = {"tea": 450, "cup": 1290, "kettle": 3900}


@shared_task
def price(order_id: int, items: list[str]) -> dict[str, Any]:
    """Look up what the items cost, in cents."""
    lines = [{"order": order_id, "item": item, "cents": PRICES[item]} for item in items]
    return {"lines": lines, "cents": sum(line["cents"] for line in lines)}


@shared_task
def reserve(line: dict[str, Any]) -> dict[str, str]:
    """Put one item aside in the warehouse."""
    return {"item": line["item"], "shelf": f"{line['item'][0].upper()}{line['order'] % 9 + 1}"}


@shared_task(bind=True, max_retries=3)
def charge(self: Task[..., Any], order_id: int, cents: int) -> dict[str, Any]:
    """Take the money. The bank is busy at first, so the task asks to be tried again."""
    if self.request.retries == 0:
        raise self.retry(countdown=1)
    return {"payment": f"pay-{order_id}", "cents": cents, "asked": self.request.retries + 1}


@shared_task
def ship(order_id: int, reserved: list[dict[str, str]], payment: dict[str, Any]) -> dict[str, Any]:
    """Hand everything to the carrier."""
    return {"parcel": f"P{order_id:06}", "items": len(reserved), "paid": payment["cents"]}
