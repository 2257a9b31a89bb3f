"""What the rows of a run say, read at once, and what must be so however the run came there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from celesta.runs.connection import one
from celesta.runs.replay import replay
from celesta.runs.states import TERMINAL_NODE

_QUERY: Final = Path(__file__).with_name("picture.sql").read_text()
_FINAL: Final = {state.value for state in TERMINAL_NODE}


@dataclass(slots=True)
class Told:
    """An event, as :func:`replay` reads it."""

    at: datetime
    kind: str
    scope: int | None
    node: int | None
    attempt: int | None
    data: Any


class Picture:
    """All rows of a run at one moment, by their tables; of slots only those that are named."""

    def __init__(self, run: str, slots: Mapping[str, int] | None = None) -> None:
        self._names = {number: name for name, number in (slots or {}).items()}
        (found,) = one(_QUERY, {"run": run, "slots": list(self._names)})
        self._rows: dict[str, Any] = {name: rows or [] for name, rows in found.items()}

    def comparable(self) -> dict[str, Any]:
        """What they say, without what differs from one copy of a world to the next."""
        names, rows = self._names, self._rows
        return {
            "run": rows["run"],
            "nodes": [[*row[:6], names.get(row[6])] for row in rows["nodes"]],
            "slots": [[names[row[0]], *row[1:]] for row in rows["slots"]],
            **{name: rows[name] for name in ("gates", "waves", "hints", "timers", "outputs")},
            "events": sorted(
                ([*row[1:5], (row[5] or {}).get("nodes")] for row in rows["events"]), key=repr
            ),
        }

    def assert_nothing_open(self) -> None:
        """No node of a run that is over is in a state in which something could follow."""
        *_, over = self._rows["run"]
        if over:
            left = [row[:3] for row in self._rows["nodes"] if row[2] not in _FINAL]
            assert not left, left

    def assert_replays(self) -> None:
        """Told from the first event to the last, the history of a run says what its rows say."""
        # The items of a map that is still being written are there, and nobody was told of them.
        untold = {
            scope
            for first, total in self._rows["unwritten"]
            for scope in range(first, first + total)
        }
        events = (Told(datetime.fromisoformat(at), *row) for at, *row in self._rows["events"])
        told = {
            key: (history.state, history.attempt)
            for key, history in replay(events).items()
            if key[0] not in untold
        }
        assert told == {
            (scope, node): (state, attempt)
            for scope, node, state, attempt, *_ in self._rows["nodes"]
            if state != "pending" and scope not in untold
        }


def differences(found: dict[str, Any], allowed: Sequence[dict[str, Any]]) -> str:
    """What tells a comparable picture from each of the allowed ones."""
    return "\n".join(
        f"order {i}: {name} {found[name]} instead of {other[name]}"
        for i, other in enumerate(allowed)
        for name in found
        if found[name] != other[name]
    )
