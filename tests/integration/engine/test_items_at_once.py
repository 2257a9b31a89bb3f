"""X5: never more than ``max_parallel`` items of a map at once, in any order of what may happen."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import pytest

from celesta.runs import transitions
from celesta.runs.calls import Claimed, Report, Sent
from celesta.runs.connection import rows
from celesta.runs.models import NodeRun, Output, Run, Timer
from tests.integration.engine.plans import plan_of, publish_plan, with_map
from tests.integration.engine.simulation import LEASE, assert_nothing_left, begin, register

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 25
QUEUES = ("default",)
_tokens = itertools.count(10_000_000)


@dataclass(slots=True)
class Lane:
    """What a slot holds between two calls."""

    slot: int
    token: int
    wave: int | None
    held: list[Claimed]
    seq: int = 0


@dataclass(slots=True)
class World:
    """Slots that take turns in any order, and messages that travel meanwhile."""

    run: UUID
    rand: random.Random
    travelling: list[tuple[Sent, int]] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    waiting: set[tuple[int, int]] = field(default_factory=set)

    def send(self, sent: tuple[Sent, ...]) -> None:
        self.travelling += [(item, hint) for item in sent for hint in item.hints]

    def claim(self) -> None:
        """A free slot answers a message."""
        message, hint = self.travelling.pop(self.rand.randrange(len(self.travelling)))
        token, slot = next(_tokens), register(QUEUES)
        lane = message.wave is not None
        claim = transitions.claim(
            slot, token, str(self.run),
            scope=None if lane else message.scope, node=None if lane else message.nodes[0],
            hint=hint if lane else None, via="task", take=self.rand.randint(1, 3), lease=LEASE,
        )  # fmt: skip
        if claim.answer == "claimed":
            wave = claim.wave if claim.wave_left else None
            self.lanes.append(Lane(slot, token, wave, list(claim.claimed)))
        else:
            forget(slot)

    def complete(self, lane: Lane) -> None:
        """A slot reports its first node, and goes on or hands back."""
        done, rest = lane.held[:1], lane.held[1:]
        leave = self.rand.random() < 0.3
        lane.seq += 1
        reports = [self.report(c, alone=not rest) for c in done]
        # As a lane does: what runs elsewhere is claimed one by one.
        most = 1 if any(r.kind == "foreign" for r in reports) else self.rand.randint(1, 4)
        completion = transitions.complete(
            lane.slot, lane.token, lane.seq, str(self.run), reports,
            rest=() if leave else rest, back=rest if leave else (), queues=QUEUES,
            keep=max(0, most - len(rest)), wave=lane.wave, leave=leave,
            lease=LEASE,
        )  # fmt: skip
        assert (completion.answer, completion.refused) == ("going", ())
        self.send(completion.sent)
        lane.held = [] if leave else [*rest, *completion.claimed]
        lane.wave = lane.wave if completion.wave_left else None
        if not lane.held and lane.wave is None:
            self.lanes.remove(lane)
            forget(lane.slot)

    def report(self, claimed: Claimed, *, alone: bool) -> Report:
        """An item waits for a retry, for a task of another worker, fails or succeeds."""
        end = Report(claimed.scope, claimed.node, claimed.attempt, "succeeded", 0.002, 0.001, "1")
        if not claimed.scope or claimed.attempt > 2 or self.rand.random() < 0.5:
            return end
        if alone and self.rand.random() < 0.5:
            self.waiting.add((claimed.scope, claimed.attempt))
            return Report(
                claimed.scope, claimed.node, claimed.attempt, "waiting", 0.002, 0.001,
                kind="foreign", delay=1000.0,
            )  # fmt: skip
        return Report(
            claimed.scope, claimed.node, claimed.attempt, "waiting", 0.002, 0.001,
            kind="retry", delay=0.0,
        )  # fmt: skip

    def lose(self, lane: Lane) -> None:
        """A slot's process dies: nobody knows how many of its nodes had begun."""
        self.lanes.remove(lane)
        _, sent = transitions.take_back(lane.slot, lane.token, begun=None, force=True, blame=False)
        self.send(sent)
        forget(lane.slot)

    def relieve(self, lane: Lane) -> None:
        """The first node takes long: the others go to other slots."""
        self.send(transitions.relieve(lane.slot, lane.token, lane.seq, 1))
        lane.held = lane.held[:1]

    def pause(self) -> None:
        """Somebody pauses the run: what slots hold goes on to its end."""
        transitions.pause_if_open(self.run, "test", "")

    def resume(self) -> None:
        """The run goes on, and all of its hints are sent again."""
        _, hints = transitions.resume_if_paused(self.run, "test")
        again = [
            Sent(h.run, h.scope or 0, () if h.node is None else (h.node,), h.queue, h.priority,
                 (h.id,), h.wave)
            for h in hints
        ]  # fmt: skip
        self.send(tuple(again))

    def fire(self) -> None:
        """The pauses of retries are over."""
        due = list(Timer.objects.filter(run_id=self.run, kind="retry").values_list("pk", flat=True))
        if due:
            self.send(transitions.fire(self.run, due)[1])

    def reported(self, body: int) -> None:
        """A task of another worker ends, or fails and is to be tried again."""
        scope, attempt = self.waiting.pop()
        delay = self.rand.choice([None, 0.0])
        state = "succeeded" if delay is None else "waiting"
        accepted, sent = transitions.report(
            str(self.run), scope, body, attempt, state, output="1" if delay is None else None,
            delay=delay,
        )  # fmt: skip
        assert accepted
        self.send(sent)

    def at_once(self) -> int:
        """Items that may run at this moment: one in each slot, and those elsewhere."""
        busy = sum(any(c.scope for c in lane.held) for lane in self.lanes)
        return busy + len(self.waiting)


def forget(slot: int) -> None:
    """A slot that will not answer again is no place for a lane."""
    rows("DELETE FROM celesta_slot WHERE id = %s::bigint RETURNING id", (slot,))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [1, 2, 4, None])
def test_the_limit_holds_and_every_item_ends(limit: int | None, seed: int) -> None:
    rand = random.Random(seed)
    plan = with_map(plan_of({"each": [], "after": ["each"]}), "each")
    body = plan.nodes[0].body
    run, sent = begin(publish_plan(plan))
    world = World(run, rand)
    # Other slots listen, so that lanes are limited by the map.
    others = [register(QUEUES) for _ in range(6)]
    world.send(tuple(sent))
    world.claim()
    (first,) = world.lanes
    for_map = first.held.pop()
    world.lanes.clear()
    answer, released = transitions.expand(
        first.slot, first.token, 1, str(run), for_map, ["0"] * ITEMS, offset=0, total=ITEMS,
        tolerate=0, max_parallel=limit, rest=(), lease=LEASE,
    )  # fmt: skip
    assert answer == "going"
    transitions.complete(first.slot, first.token, 2, str(run), [], keep=0, lease=LEASE)
    world.send(released)
    most = 0
    for _ in range(5_000):
        steps: list[Callable[[], None]] = [world.fire, world.resume]
        if rand.random() < 0.5:
            steps += [world.pause] * 3
        if world.travelling:
            steps += [world.claim] * 4
        if world.waiting:
            steps.append(partial(world.reported, body))
        if world.lanes:
            lane = rand.choice(world.lanes)
            steps += [partial(world.complete, lane)] * 4
            if any(c.scope for c in lane.held):
                steps += [partial(world.lose, lane), partial(world.relieve, lane)]
        rand.choice(steps)()
        most = max(most, world.at_once())
        assert limit is None or world.at_once() <= limit
        if Run.objects.filter(pk=run, state="succeeded").exists():
            break
    ended = NodeRun.objects.filter(run_id=run, scope__gt=0, state="succeeded").count()
    assert (ended, Run.objects.get(pk=run).state) == (ITEMS, "succeeded")
    assert Output.objects.get(run_id=run, scope=0, node=0).value == [1] * ITEMS
    assert limit is None or most == limit
    for slot in others:
        forget(slot)
    assert_nothing_left(run)
