"""Worlds made once by the calls that make them, then copied: a copy is one statement, not ten."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from uuid_utils.compat import uuid7

from celesta.runs import connection
from tests.integration.engine.interleaving import LEASE, World
from tests.integration.engine.pictures import Picture
from tests.integration.engine.worlds import Scene

_MAKE: Final = Path(__file__).with_name("copy.sql").read_text()
_COPY: Final = (
    "SELECT new_slots, hints, new_hints, timers, new_timers"
    " FROM pg_temp.copy_run(%s::uuid, %s::uuid, %s::bigint[], %s::float8)"
)
#: Tables with rows of a run that are copied.
COPIED: Final = {
    f"celesta_{name}"
    for name in (
        *("slot", "wave", "hint", "timer", "node_run", "gate", "output", "expansion", "item"),
        "event",
    )
}


class Copies:
    """Copies of the worlds of scenes, on a connection that keeps what they are made from."""

    def __init__(self) -> None:
        self._connection = connection.connect()
        self._connection.execute(_MAKE, prepare=False)  # two statements
        self._first: dict[str, World] = {}

    def of(self, scene: Scene) -> World:
        """Another world of a scene."""
        if scene.name not in self._first:
            self._first[scene.name] = self._made(scene)
        return self._copied(self._first[scene.name])

    def close(self) -> None:
        self._connection.close()

    def _made(self, scene: Scene) -> World:
        world = scene.build(scene.publish())
        keep = "INSERT INTO kept_slot SELECT * FROM celesta_slot WHERE id = ANY (%s)"
        self._connection.execute(keep, (list(world.slots.values()),))
        self._assert_all_is_copied(world)
        return world

    def _copied(self, first: World) -> World:
        run = str(uuid7())
        values = (first.run, run, list(first.slots.values()), LEASE)
        found = self._connection.execute(_COPY, values).fetchone()
        assert found
        slots, hints, new_hints, timers, new_timers = found
        hint_of = dict(zip(hints, new_hints, strict=True))
        timer_of = dict(zip(timers, new_timers, strict=True))
        return World(
            run,
            first.version,
            dict(zip(first.slots, slots, strict=True)),
            tuple(hint_of.get(hint, hint) for hint in first.hints),  # claimed ones are gone
            {node: timer_of[timer] for node, timer in first.timers.items()},
        )

    def _assert_all_is_copied(self, first: World) -> None:
        """No other table has rows of the run, and a copy says what the run itself says."""
        tables = self._connection.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'run_id'"
        ).fetchall()
        for (table,) in tables:
            rows = f"SELECT 1 FROM {table} WHERE run_id = %s"
            if table not in COPIED:
                assert not self._connection.execute(rows, (first.run,)).fetchall(), table
        copy = self._copied(first)
        said = [Picture(world.run, world.slots).comparable() for world in (first, copy)]
        assert said[0] == said[1]
