"""Runs in the states in which calls meet, and the calls that meet there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from celesta import conf
from celesta.graph.plan import Retry
from celesta.runs import transitions
from celesta.runs.calls import Report
from celesta.runs.models import Hint, NodeRun, Timer
from celesta.workflows.models import WorkflowVersion
from tests.integration.engine.interleaving import LEASE, Call, World, call
from tests.integration.engine.plans import plan_of, publish_plan, with_map
from tests.integration.engine.simulation import begin, register
from tests.integration.engine.steps import (
    CANCEL,
    HALF_CANCEL,
    PAUSE,
    RESUME,
    claim,
    complete,
    expand,
    extend,
    fire,
    open_lane,
    pause,
    relieve,
    report,
    resume,
    skip,
    take_back,
    token_of,
)


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
        call(pause, resume, name="pause and resume"),
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
        transitions.complete(world.slots[slot], token_of(slot), 1, world.run, [waits], lease=LEASE)
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


def _written(version: WorkflowVersion) -> World:
    """All items are there, and whoever wrote them has gone."""
    world = _map(version)
    expand("m", 0, range(3), 3)(world)
    transitions.complete(world.slots["m"], token_of("m"), 2, world.run, [], lease=LEASE)
    return world


def _items(version: WorkflowVersion) -> World:
    world = _written(version)
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
    world = _written(version)
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
        pause(world)
        return world

    calls = (*scene.calls, RESUME)
    return Scene(f"paused {scene.name}", scene.publish, build, calls, focus=(RESUME,))


MOVING = (FIRST, JOIN, EARLY, LANE, TIMER, MAP, HALF_MAP, ITEMS, READY_ITEMS, LAST)

SCENES = (*MOVING, *map(_paused, MOVING))
