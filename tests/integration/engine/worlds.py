"""Runs in the states in which calls meet, and the calls that meet there.

Tokens are numbers of a hundred per slot, so that they are the same in every copy of a world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from celesta import conf
from celesta.graph.plan import Retry
from celesta.runs import transitions, upkeep
from celesta.runs.calls import Claimed, Report
from celesta.runs.models import Hint, NodeRun, Timer
from celesta.workflows.models import WorkflowVersion
from tests.integration.engine.interleaving import LEASE, Call, Step, World, call
from tests.integration.engine.plans import plan_of, publish_plan, with_map
from tests.integration.engine.simulation import begin, register


@dataclass(frozen=True)
class Scene:
    """A kind of world, how to make one, and the calls that meet in it."""

    name: str
    publish: Callable[[], WorkflowVersion]
    build: Callable[[WorkflowVersion], World]
    calls: tuple[Call, ...]
    #: When given, only pairs with one of these are of interest.
    focus: tuple[Call, ...] = ()


def _world(version: WorkflowVersion, *slots: str) -> World:
    run, _ = begin(version)
    hints = Hint.objects.filter(run_id=run).order_by("id").values_list("id", flat=True)
    return World(str(run), version, {name: _slot() for name in slots}, tuple(hints))


def _slot() -> int:
    # It listens to no queue of these plans: waves get as many lanes in every copy of a world.
    return register(("elsewhere",))


# -- what slots do


def _token(slot: str) -> int:
    return 100 + ord(slot[0])


def claim(slot: str, node: int, scope: int = 0) -> Step:
    def claim_node(world: World) -> object:
        return transitions.claim(
            world.slots[slot], _token(slot), world.run, scope=scope, node=node, hint=None,
            via="task", take=1, lease=LEASE,
        )  # fmt: skip

    return claim_node


def open_lane(slot: str, hint: int, take: int) -> Step:
    def claim_lane(world: World) -> object:
        return transitions.claim(
            world.slots[slot], _token(slot), world.run, scope=None, node=None,
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
            world.slots[slot], token or _token(slot), 1, world.run, [report], queues=("default",),
            back=[Claimed(0, number, 1, 0, None) for number in back],
            keep=keep, wave=row.wave if row else None, leave=leave, lease=LEASE,
        )  # fmt: skip

    return complete_node


def take_back(slot: str, begun: int | None = None, token: int | None = None) -> Step:
    def take_back_slot(world: World) -> object:
        return transitions.take_back(
            world.slots[slot], token or _token(slot), seq=0, begun=begun, force=True
        )

    return take_back_slot


def relieve(slot: str, begun: int) -> Step:
    def relieve_slot(world: World) -> object:
        return transitions.relieve(world.slots[slot], _token(slot), 0, begun)

    return relieve_slot


def extend(slot: str) -> Step:
    def extend_slot(world: World) -> object:
        return upkeep.extend({world.slots[slot]: _token(slot)}, LEASE, idle=True)

    return extend_slot


def expand(slot: str, node: int, items: range, total: int) -> Step:
    def write_items(world: World) -> object:
        held = Claimed(0, node, 1, 0, None)
        return transitions.expand(
            world.slots[slot], _token(slot), items.start + 1, world.run, held,
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


def _cancel(world: World) -> object:
    return transitions.cancel_if_open(UUID(world.run), "test", {"code": "cancelled"})


def _sweep(world: World) -> object:
    while not transitions.sweep(UUID(world.run)):
        pass
    return None


def _sweep_once(world: World) -> object:
    return transitions.sweep(UUID(world.run))


CANCEL = call(_cancel, _sweep, name="cancel")


def _pause(world: World) -> object:
    return transitions.pause_if_open(UUID(world.run), "test", "")


def _resume(world: World) -> object:
    return transitions.resume_if_paused(UUID(world.run), "test")


def skip(node: int, scope: int = 0) -> Call:
    def skip_it(world: World) -> object:
        return transitions.skip_if_waiting(UUID(world.run), scope, node, "test", "")

    return call(skip_it, name=f"skip {node}" if scope == 0 else f"skip {node} of item {scope}")


PAUSE = call(_pause, name="pause")
RESUME = call(_resume, name="resume")

#: The nodes are cancelled, the run is not over yet: the leader goes on with it (``settle``).
HALF_CANCEL = call(_cancel, _sweep_once, name="cancel half")


def settle(world: World) -> None:
    """What the leader does in the end, whatever the calls have left to do."""
    _sweep(world)


# -- scenes


def _join_plan() -> WorkflowVersion:
    edges = {"b": [], "c": [], "d": ["b", "c"]}
    return publish_plan(plan_of(edges, queues={"b": "qb", "c": "qc"}, name="world.join"))


def _join(version: WorkflowVersion) -> World:
    world = _world(version, "b", "c")
    claim("b", 0)(world)
    claim("c", 1)(world)
    return world


JOIN = Scene(
    "join",
    _join_plan,
    _join,
    (
        call(complete("b", 0), name="complete b"),
        call(complete("b", 0, "failed"), name="fail b"),
        call(complete("b", 0, "waiting", delay=60.0), name="retry b"),
        call(complete("b", 0, token=9), name="complete b late"),
        call(complete("c", 1), name="complete c"),
        call(take_back("b"), name="take back b"),
        call(take_back("b", token=9), name="take back b late"),
        call(take_back("c", begun=0), name="take back c"),
        call(extend("b"), name="extend b"),
        skip(0),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _first(version: WorkflowVersion) -> World:
    return _world(version, "b", "c")


FIRST = Scene(
    "first",
    _join_plan,
    _first,
    (
        call(claim("b", 0), name="claim b"),
        call(claim("c", 1), name="claim c"),
        skip(0),
        PAUSE,
        call(_pause, _resume, name="pause and resume"),
        HALF_CANCEL,
        CANCEL,
    ),
)


def _early_plan() -> WorkflowVersion:
    edges = {"b": [], "c": [], "d": ["b", "c"]}
    queues = {"b": "qb", "c": "qc"}
    return publish_plan(
        plan_of(edges, queues=queues, rules={"d": "any_success"}, name="world.early")
    )


EARLY = Scene(
    "early join",
    _early_plan,
    _join,
    (
        call(complete("b", 0), name="complete b"),
        call(complete("c", 1), name="complete c"),
        call(complete("c", 1, "failed"), name="fail c"),
        call(take_back("c"), name="take back c"),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _lane_plan() -> WorkflowVersion:
    lane = [f"w{i}" for i in range(5)]
    return publish_plan(plan_of({**{w: [] for w in lane}, "z": lane}, name="world.lane"))


def _lane(version: WorkflowVersion) -> World:
    world = _world(version, "l", "m", "n")
    open_lane("l", 0, 2)(world)
    return world


LANE = Scene(
    "lane",
    _lane_plan,
    _lane,
    (
        call(complete("l", 0, keep=2), name="go on"),
        call(complete("l", 0, keep=0, leave=True, back=(1,)), name="leave"),
        call(open_lane("m", 1, 2), name="open the other lane"),
        call(open_lane("n", 1, 5), name="open it again"),
        call(claim("n", 2), name="claim by name"),
        call(take_back("l", begun=1), name="take back"),
        call(relieve("l", begun=1), name="relieve"),
        skip(2),
        skip(1),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _timer_plan() -> WorkflowVersion:
    edges = {"t": [], "f": [], "r": [], "z": ["t", "f"]}
    plan = plan_of(
        edges, queues={"t": "qt", "f": "qf", "r": "qr"}, rules={"z": "all_done"},
        retry=Retry(attempts=3), name="world.timer",
    )  # fmt: skip
    return publish_plan(plan)


def _timer(version: WorkflowVersion) -> World:
    world = _world(version, "t", "f", "r")
    for slot, node in (("t", 0), ("f", 1), ("r", 2)):
        claim(slot, node)(world)
    for slot, node, kind in (("t", 0, "retry"), ("f", 1, "expire")):
        waits = Report(0, node, 1, "waiting", 0.002, 0.001, '{"code":"late"}', None, kind, 0.0)
        transitions.complete(world.slots[slot], _token(slot), 1, world.run, [waits], lease=LEASE)
    world.timers = {
        t.node: t.id for t in Timer.objects.filter(run_id=world.run) if t.node is not None
    }
    return world


TIMER = Scene(
    "timer",
    _timer_plan,
    _timer,
    (
        call(fire(0, 1), name="fire both"),
        call(fire(0), name="fire the retry"),
        call(fire(1), name="fire the timeout"),
        call(report(1, "succeeded"), name="report success"),
        call(report(1, "failed"), name="report failure"),
        call(report(1, "waiting", 60.0), name="report a retry"),
        call(complete("r", 2), name="complete r"),
        skip(0),
        skip(1),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _map_plan() -> WorkflowVersion:
    return publish_plan(with_map(plan_of({"m": [], "z": ["m"]}, name="world.map"), "m"))


def _map(version: WorkflowVersion) -> World:
    world = _world(version, "m")
    claim("m", 0)(world)
    return world


MAP = Scene(
    "map",
    _map_plan,
    _map,
    (
        call(expand("m", 0, range(3), 3), name="expand"),
        call(expand("m", 0, range(2), 3), expand("m", 0, range(2, 3), 3), name="expand in chunks"),
        call(complete("m", 0), name="complete the map"),
        skip(0),
        call(take_back("m"), name="take back"),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _half(version: WorkflowVersion) -> World:
    world = _map(version)
    expand("m", 0, range(2), 3)(world)
    # One loss more, and it is given up.
    NodeRun.objects.filter(run_id=world.run, node=0).update(losses=conf.get("MAX_LOSSES") - 1)
    return world


HALF_MAP = Scene(
    "half a map",
    _map_plan,
    _half,
    (
        call(expand("m", 0, range(2, 3), 3), name="expand the rest"),
        call(complete("m", 0), name="complete the map"),
        call(complete("m", 0, "failed"), name="fail the map"),
        call(complete("m", 0, "waiting", delay=60.0), name="retry the map"),
        call(take_back("m", begun=0), name="take back"),
        call(take_back("m"), name="give up"),
        skip(0),
        skip(2, scope=1),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _items(version: WorkflowVersion) -> World:
    world = _map(version)
    expand("m", 0, range(3), 3)(world)
    transitions.complete(world.slots["m"], _token("m"), 2, world.run, [], lease=LEASE)
    world.slots |= {"i": _slot(), "j": _slot(), "k": _slot()}
    for scope, slot in enumerate("ijk", 1):
        claim(slot, 2, scope)(world)
    complete("k", 2, scope=3)(world)
    return world


ITEMS = Scene(
    "items",
    _map_plan,
    _items,
    (
        call(complete("i", 2, scope=1), name="complete item 1"),
        call(complete("j", 2, scope=2), name="complete item 2"),
        call(complete("j", 2, "failed", scope=2), name="fail item 2"),
        call(take_back("i"), name="take back item 1"),
        skip(0),
        skip(2, scope=1),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _ready_items(version: WorkflowVersion) -> World:
    world = _map(version)
    expand("m", 0, range(3), 3)(world)
    transitions.complete(world.slots["m"], _token("m"), 2, world.run, [], lease=LEASE)
    hints = Hint.objects.filter(run_id=world.run, wave__isnull=False).order_by("id")
    world.hints = tuple(hints.values_list("id", flat=True))
    world.slots |= {"i": _slot(), "j": _slot()}
    claim("i", 2, 1)(world)
    return world


READY_ITEMS = Scene(
    "ready items",
    _map_plan,
    _ready_items,
    (
        call(complete("i", 2, scope=1), name="complete item 1"),
        call(complete("i", 2, "waiting", scope=1, delay=60.0), name="retry item 1"),
        call(take_back("i"), name="take back item 1"),
        call(open_lane("j", 0, 2), name="open a lane"),
        call(claim("j", 2, 2), name="claim item 2"),
        skip(0),
        skip(2, scope=2),
        skip(2, scope=3),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _last_plan() -> WorkflowVersion:
    return publish_plan(plan_of({"a": []}, name="world.last"))


def _last(version: WorkflowVersion) -> World:
    world = _world(version, "a")
    claim("a", 0)(world)
    return world


LAST = Scene(
    "last",
    _last_plan,
    _last,
    (
        call(complete("a", 0), name="complete"),
        call(complete("a", 0, "failed"), name="fail"),
        call(take_back("a"), name="take back"),
        call(extend("a"), name="extend"),
        PAUSE,
        HALF_CANCEL,
        CANCEL,
    ),
)


def _paused(scene: Scene) -> Scene:
    """The same with its run paused when the calls meet."""

    def build(version: WorkflowVersion) -> World:
        world = scene.build(version)
        _pause(world)
        return world

    calls = (*scene.calls, RESUME)
    return Scene(f"paused {scene.name}", scene.publish, build, calls, focus=(RESUME,))


MOVING = (FIRST, JOIN, EARLY, LANE, TIMER, MAP, HALF_MAP, ITEMS, READY_ITEMS, LAST)

SCENES = (*MOVING, *map(_paused, MOVING))
