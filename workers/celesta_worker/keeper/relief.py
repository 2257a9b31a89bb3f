"""Long nodes amid a batch of short ones: what has not begun behind them goes to other slots.

A slot takes several nodes at once when the ones before were short. When one of them takes long all
the same, the keeper hands the rest back, without an attempt. The order makes it safe: first the
page says so, then the page is read again; a slot still in the same body will find that word when it
leaves it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from celesta.engine import canvas, plans
from celesta.runs import transitions
from celesta_worker import page
from celesta_worker.page import SlotView

#: Seconds that a body may keep others waiting.
PATIENCE = 0.4


class Relief:
    """Which bodies are being watched, since when, by page and serial."""

    def __init__(self) -> None:
        self._since: dict[Path, tuple[int, float]] = {}

    def due(self) -> list[tuple[Path, SlotView]]:
        """Slots whose body has kept others waiting for too long; asked a few times a second."""
        now, found = time.monotonic(), []
        for path, view in page.slots_of(os.getpid()):
            if not view.in_body or view.held <= view.begun:
                self._since.pop(path, None)
                continue
            serial, since = self._since.get(path, (0, now))
            if serial != view.serial:
                self._since[path] = view.serial, now
            elif now - since > PATIENCE:
                found.append((path, view))
        return found

    def give(self, path: Path, view: SlotView) -> None:
        """Hand back what the slot has not begun. The slot learns of it when its body ends."""
        page.relieve(path, view.serial)
        again = page.view_of(path)
        self._since.pop(path, None)
        if again is None or not again.in_body or again.serial != view.serial:
            return  # the body has just ended: the slot goes on, or hands back by itself
        sent = transitions.relieve(again.slot, again.token, again.seq, again.begun)
        loaded = plans.of_run(sent[0].run) if sent else None
        if loaded is not None:
            canvas.publish(loaded.plan, sent)
