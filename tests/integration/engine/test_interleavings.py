"""Any two calls of the protocol, however they interleave, leave what one after the other leaves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.integration.engine.copies import Copies
from tests.integration.engine.interleaving import (
    Call,
    Holder,
    Row,
    Session,
    Step,
    merges,
    rows_of,
)
from tests.integration.engine.pictures import Picture, differences
from tests.integration.engine.steps import settle
from tests.integration.engine.worlds import SCENES, Scene

pytestmark = pytest.mark.django_db(transaction=True)

PAIRS = [
    pytest.param(scene, first, second, id=f"{scene.name}: {first} / {second}")
    for scene in SCENES
    for first, second in product(scene.calls, repeat=2)
    if not scene.focus or {first, second} & set(scene.focus)
]
#: Calls that wait for nothing: they are refused before they lock, or pass over what is locked.
LOCK_NOTHING = {"complete b late", "extend b", "extend"}


class Stage:
    """Two sessions for the calls, and the one that stops the first of them."""

    def __init__(self) -> None:
        self.one, self.two, self.holder = Session(), Session(), Holder()
        self.copies = Copies()
        self._places: dict[tuple[str, str], dict[str, Row]] = {}
        self._serial: dict[tuple[str, frozenset[Call]], list[dict[str, Any]]] = {}

    def places(self, scene: Scene, call: Call) -> dict[str, Row]:
        """The rows at which a call can be stopped, by their names."""
        key = (scene.name, call.name)
        if key not in self._places:
            every = rows_of(self.copies.of(scene))
            self._places[key] = {
                place: row for place, row in every.items() if self._stops(scene, call, row)
            }
        return self._places[key]

    def _stops(self, scene: Scene, call: Call, row: Row) -> bool:
        world = self.copies.of(scene)
        with self.holder.holding(row, world):
            self.one.start(lambda: call(world))
            stops = not self.one.settle()
        self.one.finish()
        return stops

    def play(self, scene: Scene, first: Call, second: Call, row: Row) -> dict[str, Any]:
        """Stop the first call at a row, run the second as far as it gets, let the row go."""
        world = self.copies.of(scene)
        with self.holder.holding(row, world):
            self.one.start(lambda: first(world))
            self.one.settle()
            self.two.start(lambda: second(world))
            self.two.settle()
        self.one.finish()
        self.two.finish()
        settle(world)
        picture = Picture(world.run, world.slots)
        picture.assert_replays()
        picture.assert_nothing_open()
        return picture.comparable()

    def serial(self, scene: Scene, calls: frozenset[Call]) -> list[dict[str, Any]]:
        """What the two leave behind in every order of their transactions."""
        key = (scene.name, calls)
        if key not in self._serial:
            first, second = calls if len(calls) > 1 else (*calls, *calls)
            orders = merges(first.steps, second.steps)
            self._serial[key] = [self._left(scene, steps) for steps in orders]
        return self._serial[key]

    def _left(self, scene: Scene, steps: list[Step]) -> dict[str, Any]:
        world = self.copies.of(scene)
        for step in steps:
            step(world)
        settle(world)
        picture = Picture(world.run, world.slots)
        picture.assert_nothing_open()
        return picture.comparable()

    def close(self) -> None:
        for opened in (self.one, self.two, self.holder, self.copies):
            opened.close()


@pytest.fixture(scope="module")
def stage(flushed_after_module: None) -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


@pytest.mark.parametrize(("scene", "first", "second"), PAIRS)
def test_two_calls_are_as_one_after_the_other(
    scene: Scene, first: Call, second: Call, stage: Stage
) -> None:
    places = stage.places(scene, first)
    assert places or first.name in LOCK_NOTHING
    allowed = stage.serial(scene, frozenset({first, second}))
    for place, row in places.items():
        found = stage.play(scene, first, second, row)
        assert found in allowed, f"stopped at {place}: {differences(found, allowed)}"
