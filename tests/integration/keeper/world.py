"""Slots with pages and processes, as a worker would have them, but made by the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from celesta.graph.plan import Retry
from celesta.runs import transitions
from celesta.runs.connection import rows
from celesta.runs.models import Hint, NodeRun
from celesta_worker.page import SlotPage, SlotView
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import LEASE, begin, register

TOKEN = 77


@dataclass
class HeldRun:
    """A run of ``nodes`` independent nodes of which a slot holds some."""

    run: UUID
    slot: int
    held: list[int]

    def row(self, node: int = 0) -> NodeRun:
        return NodeRun.objects.get(run_id=self.run, scope=0, node=node)

    def states(self) -> list[tuple[str, int, int]]:
        """(state, attempt, losses) of the nodes that are held, in the order they are."""
        return [(r.state, r.attempt, r.losses) for r in map(self.row, self.held)]


def held_run(nodes: int = 1, take: int = 1, *, retry: Retry | None = None) -> HeldRun:
    """A slot that claimed ``take`` nodes of a lane, or the only node there is."""
    names = [f"n{i}" for i in range(nodes)]
    edges: dict[str, list[str]] = {name: [] for name in names}
    plan = plan_of(edges, queues=dict.fromkeys(names, "qk"), retry=retry)
    run, _ = begin(publish_plan(plan))
    slot = register(("elsewhere",))
    hint = Hint.objects.filter(run_id=run).order_by("id").values_list("id", flat=True)[0]
    lane = nodes > 1
    claim = transitions.claim(
        slot, TOKEN, str(run), scope=None if lane else 0, node=None if lane else 0,
        hint=hint if lane else None, via="task", take=take, lease=LEASE,
    )  # fmt: skip
    return HeldRun(run, slot, [c.node for c in claim.claimed])


def view(
    pid: int,
    slot: int,
    *,
    token: int = TOKEN,
    seq: int = 0,
    begun: int = 0,
    in_body: bool = False,
    deadline: float = 0.0,
    serial: int = 0,
    thread: int = 1,
) -> SlotView:
    """What the page of that slot would say."""
    return SlotView(
        pid=pid, thread=thread, slot=slot, token=token, seq=seq, begun=begun, in_body=in_body,
        deadline=deadline, serial=serial,
    )  # fmt: skip


@dataclass
class Child:
    """A process as the pool would have it: a child of this one, in any state."""

    body: str = "import time; time.sleep(600)"
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", self.body], stdout=subprocess.PIPE)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """Kill it and leave it unburied: a zombie."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def wait_output(self, text: bytes) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert text in line, line

    def end(self) -> None:
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait()


def write_page(worker: int, found: SlotView) -> Path:
    """The page as a process of that worker would have written it."""
    fresh = SlotPage(worker, found.pid, found.thread)
    fresh.slot, fresh.token, fresh.seq = found.slot, found.token, found.seq
    fresh.begun, fresh.serial = found.begun, found.serial
    fresh._write(in_body=int(found.in_body), deadline=found.deadline)
    return fresh.path


def leases(slots: Sequence[int]) -> dict[int, float]:
    """Seconds for which the leases last."""
    found = rows(
        "SELECT id, extract(epoch FROM lease_until - now())::float8 FROM celesta_slot"
        " WHERE id = ANY (%s::bigint[])",
        (list(slots),),
    )
    return {row[0]: row[1] for row in found}


def lapse(slot: int, seconds: float = 0.1) -> None:
    """Let a lease have ended."""
    rows(
        "UPDATE celesta_slot SET lease_until = now() - make_interval(secs => %s::float8)"
        " WHERE id = %s::bigint",
        (seconds, slot),
    )
