"""Why a node does not run: every way of waiting has its cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from celesta.runs.states import NodeState, RunState
from celesta.runs.why import Facts, Items, Message, Place, Timer, Upstream, why

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FREE, BUSY = Place("w1 · 7"), Place("w1 · 8", "shop.orders charge", NOW - timedelta(minutes=3))
PENDING = Facts(NOW, "running", "pending", "default")
READY = replace(PENDING, node="ready")
WAITING = replace(PENDING, node="waiting")
SENT = Message(NOW - timedelta(seconds=1), 1)
OLD = Message(NOW - timedelta(seconds=9), 2)
SOON, PAST = NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)
UPSTREAMS = (
    Upstream("fetch", "running"), Upstream("pay", "succeeded"), Upstream("ship", "waiting")
)  # fmt: skip

#: facts, the codes, and words that the first message must have
TABLE: list[tuple[str, Facts, list[str], str]] = [
    ("upstream", replace(PENDING, upstreams=UPSTREAMS), ["upstream"],
     "fetch (running), ship (waiting)"),
    ("rule", replace(PENDING, upstreams=UPSTREAMS, rule="any_success"), ["upstream"],
     "any_success"),
    ("decided", replace(PENDING, upstreams=UPSTREAMS[1:2]), ["gate_deciding"], "decided"),
    ("retry", replace(WAITING, timer=Timer("retry", SOON)), ["retry"], "12:05:00"),
    ("wait", replace(WAITING, timer=Timer("finish", SOON)), ["timer"], "12:05:00"),
    ("foreign", replace(WAITING, timer=Timer("foreign", SOON), task="pay.charge"),
     ["foreign_task"], "pay.charge"),
    ("leaderless", replace(WAITING, timer=Timer("retry", PAST), has_leader=False),
     ["retry", "no_leader"], "next one"),
    ("led", replace(WAITING, timer=Timer("retry", PAST)), ["retry"], "next one"),
    ("items", replace(WAITING, items=Items("lines", 300, 120)), ["items"], "120 of its 300"),
    ("signal", WAITING, ["signal"], "outside"),
    ("no worker", replace(READY, heard=("mail",)), ["no_worker"], "mail"),
    ("none at all", READY, ["no_worker"], "no live worker at all"),
    ("busy", replace(READY, places=(BUSY, BUSY)), ["slots_busy"], "all 2 slots are busy with shop"),
    ("only one", replace(READY, places=(BUSY,)), ["slots_busy"], "only slot"),
    ("on its way", replace(READY, places=(FREE, BUSY), message=SENT), ["message_travelling"],
     "on its way"),
    ("lost", replace(READY, places=(FREE,), message=OLD), ["message_lost"], "leader sends"),
    ("lost for good", replace(READY, places=(FREE,), message=OLD, has_leader=False),
     ["message_lost"], "no worker leads"),
    ("claimed now", replace(READY, places=(FREE,)), ["being_claimed"], "about to"),
    ("limit", replace(READY, places=(FREE,), of=Items("lines", 9, 2, 3, 3)), ["max_parallel"],
     "lines runs at most 3"),
    ("below it", replace(READY, places=(FREE,), of=Items("lines", 9, 2, 3, 2)),
     ["being_claimed"], "about to"),
    ("running", replace(PENDING, node="running", worker="w1 · 7"), ["running"], "w1 · 7"),
    ("silent", replace(PENDING, node="running", is_silent=True), ["worker_silent"], "silent"),
    ("paused", replace(READY, run="paused", places=(FREE,)), ["run_paused", "being_claimed"],
     "resume"),
    ("cancelling", replace(PENDING, run="cancelling", upstreams=UPSTREAMS),
     ["run_cancelling", "upstream"], "cancelled"),
    ("run over", replace(WAITING, run="failed"), ["run_over", "signal"], "failed"),
    ("over", replace(PENDING, node="upstream_failed"), ["over"], "upstream failed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "codes", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_each_way_of_waiting_has_its_cause(facts: Facts, codes: list[str], words: str) -> None:
    causes = why(facts)
    assert [cause.code for cause in causes] == codes
    assert words in causes[0].message


def test_no_state_is_without_a_cause() -> None:
    for run in RunState:
        for node in NodeState:
            assert why(replace(PENDING, run=run, node=node))


def test_busy_slots_tell_with_what_and_since_when() -> None:
    (cause,) = why(replace(READY, places=(BUSY, replace(BUSY, since=NOW))))
    assert cause.details["busy_since"] == BUSY.since
    assert [slot["task"] for slot in cause.details["slots"]] == [BUSY.task] * 2
