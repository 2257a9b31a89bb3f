"""What meets in a world: what slots, timers and people do to its run, each as one transaction.

Tokens are numbers of a hundred per slot, so that they are the same in every copy of a world.
"""

from __future__ import annotations

from uuid import UUID

from celesta.runs import transitions, upkeep
from celesta.runs.calls import Claimed, Report
from tests.integration.engine.interleaving import LEASE, Call, Step, World, call


def token_of(slot: str) -> int:
    return 100 + ord(slot[0])


def claim(slot: str, node: int, scope: int = 0) -> Step:
    def claim_node(world: World) -> object:
        return transitions.claim(
            world.slots[slot], token_of(slot), world.run, scope=scope, node=node, hint=None,
            via="task", take=1, lease=LEASE,
        )  # fmt: skip

    return claim_node


def open_lane(slot: str, hint: int, take: int) -> Step:
    def claim_lane(world: World) -> object:
        return transitions.claim(
            world.slots[slot], token_of(slot), world.run, scope=None, node=None,
            hint=world.hints[hint], via="lane", take=take, lease=LEASE,
        )  # fmt: skip

    return claim_lane


def complete(
    slot: str,
    node: int,
    state: str = "succeeded",
    *,
    scope: int = 0,
    token: int | None = None,
    keep: int = 1,
    leave: bool = False,
    back: tuple[int, ...] = (),
    delay: float | None = None,
) -> Step:
    """Report one node and go on with ``keep``; in a lane, go on with the lane."""

    def complete_node(world: World) -> object:
        row = upkeep.slot(world.slots[slot])
        error = '{"code":"told","message":"told to"}' if state in ("failed", "waiting") else None
        kind = "retry" if delay is not None else None
        report = Report(scope, node, 1, state, 0.002, 0.001, "1", error, kind=kind, delay=delay)
        return transitions.complete(
            world.slots[slot], token or token_of(slot), 1, world.run, [report], queues=("default",),
            back=[Claimed(0, number, 1, 0, None) for number in back],
            keep=keep, wave=row.wave if row else None, leave=leave, lease=LEASE,
        )  # fmt: skip

    return complete_node


def take_back(slot: str, begun: int | None = None, token: int | None = None) -> Step:
    def take_back_slot(world: World) -> object:
        return transitions.take_back(
            world.slots[slot], token or token_of(slot), seq=0, begun=begun, force=True
        )

    return take_back_slot


def relieve(slot: str, begun: int) -> Step:
    def relieve_slot(world: World) -> object:
        return transitions.relieve(world.slots[slot], token_of(slot), 0, begun)

    return relieve_slot


def extend(slot: str) -> Step:
    def extend_slot(world: World) -> object:
        return upkeep.extend({world.slots[slot]: token_of(slot)}, LEASE, idle=True)

    return extend_slot


def expand(slot: str, node: int, items: range, total: int) -> Step:
    def write_items(world: World) -> object:
        held = Claimed(0, node, 1, 0, None)
        return transitions.expand(
            world.slots[slot], token_of(slot), items.start + 1, world.run, held,
            [str(i) for i in items], offset=items.start, total=total, tolerate=0,
            max_parallel=None, rest=(), lease=LEASE,
        )  # fmt: skip

    return write_items


def fire(*which: int) -> Step:
    def fire_timers(world: World) -> object:
        # As the leader read them before: by now they may be gone.
        return transitions.fire(UUID(world.run), [world.timers[node] for node in which])

    return fire_timers


def report(node: int, state: str, delay: float | None = None) -> Step:
    def report_foreign(world: World) -> object:
        output = "7" if state == "succeeded" else None
        error = '{"code":"told","message":"told to"}' if state == "failed" else None
        return transitions.report(
            world.run, 0, node, 1, state, output=output, error=error, delay=delay
        )

    return report_foreign


def cancel(world: World) -> object:
    return transitions.cancel_if_open(UUID(world.run), "test", {"code": "cancelled"})


def sweep(world: World) -> object:
    while not transitions.sweep(UUID(world.run)):
        pass
    return None


def sweep_once(world: World) -> object:
    return transitions.sweep(UUID(world.run))


CANCEL = call(cancel, sweep, name="cancel")


def pause(world: World) -> object:
    return transitions.pause_if_open(UUID(world.run), "test", "")


def resume(world: World) -> object:
    return transitions.resume_if_paused(UUID(world.run), "test")


def skip(node: int, scope: int = 0) -> Call:
    def skip_it(world: World) -> object:
        return transitions.skip_if_waiting(UUID(world.run), scope, node, "test", "")

    return call(skip_it, name=f"skip {node}" if scope == 0 else f"skip {node} of item {scope}")


PAUSE = call(pause, name="pause")
RESUME = call(resume, name="resume")

#: The nodes are cancelled, the run is not over yet: the leader goes on with it (``settle``).
HALF_CANCEL = call(cancel, sweep_once, name="cancel half")


def settle(world: World) -> None:
    """What the leader does in the end, whatever the calls have left to do."""
    sweep(world)
