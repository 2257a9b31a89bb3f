"""How the shop ran an order before: a canvas by hand. ``order.yaml`` does the same, durably.

If the broker loses one message here, the chord waits for ever and nobody can see where.
"""

from __future__ import annotations

from typing import Any

from celery import Signature, Task, chain, chord, shared_task

from examples.shared_tasks.tasks import charge, price, reserve, ship


def order(order_id: int, items: list[str]) -> Signature[Any]:
    """Price, then reserve and charge side by side, then ship."""
    return chain(price.s(order_id, items), fan_out.s(order_id))


@shared_task(bind=True)
def fan_out(self: Task[..., Any], priced: dict[str, Any], order_id: int) -> Any:
    """The number of lines is known only now, so the task replaces itself by a chord."""
    header = [reserve.s(line) for line in priced["lines"]]
    header.append(charge.s(order_id, priced["cents"]))
    return self.replace(chord(header, finish.s(order_id)))


@shared_task
def finish(results: list[dict[str, Any]], order_id: int) -> dict[str, Any]:
    """Ship with what the chord collected: all reservations, and the payment last."""
    return ship(order_id, results[:-1], results[-1])
