"""A worker made of arithmetic: it drives the real SQL in any order, batch and outcome."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from celesta.graph.plan import Plan
from celesta.runs import transitions
from celesta.runs.calls import Claimed, NewRun, Report, Sent
from celesta.runs.models import GateRun, Hint, NodeRun, Run, Slot, Timer, Wave
from celesta.workflows.models import WorkflowVersion
from tests.integration.engine.pictures import Picture

LEASE = 30.0
_tokens = itertools.count(1)

Outcome = Callable[[int, int], str]


def begin(version: WorkflowVersion, **fields: object) -> tuple[UUID, list[Sent]]:
    """Start a run: (its id, what would have been published)."""
    new = NewRun(
        id=uuid7(),
        workspace=version.workflow.workspace_id,
        workflow=version.workflow_id,
        version=version.pk,
        params={},
        **fields,  # type: ignore[arg-type]
    )
    with transaction.atomic():
        begun = transitions.start(new)
    return begun.run, list(begun.sent)


def register(queues: tuple[str, ...] = ("default",)) -> int:
    """A slot of a worker that listens to these queues."""
    return transitions.register_slot("simulated", 1, queues, LEASE)


class SimulatedSlot:
    """One slot that answers one message after another, in random batches."""

    def __init__(self, rand: random.Random, queues: tuple[str, ...] = ("default",)) -> None:
        self.rand, self.queues = rand, queues
        self.id = register(queues)

    def answer(self, run: UUID, message: Sent, hint: int, outcome: Outcome) -> list[Sent]:
        """Answer one message to its end; returns what it released for others."""
        rand, token, seq = self.rand, next(_tokens), 0
        lane = message.wave is not None
        claim = transitions.claim(
            self.id, token, str(run),
            scope=None if lane else message.scope, node=None if lane else message.nodes[0],
            hint=hint if lane else None, via="task", take=rand.randint(1, 4), lease=LEASE,
        )  # fmt: skip
        held = list(claim.claimed)
        released: list[Sent] = []
        wave = claim.wave if claim.wave_left else None
        while held or wave is not None:
            done = held[: rand.randint(1, max(1, len(held)))]
            held = held[len(done) :]
            leave = rand.random() < 0.1
            seq += 1
            completion = transitions.complete(
                self.id, token, seq, str(run), [_report(c, outcome) for c in done],
                rest=() if leave else held, back=held if leave else (), queues=self.queues,
                keep=rand.randint(0, 4) + (not held), wave=wave, leave=leave, lease=LEASE,
            )  # fmt: skip
            assert not completion.refused
            released += completion.sent
            held = [] if leave else [*held, *completion.claimed]
            wave = wave if completion.wave_left else None
            if completion.answer != "going":
                break
        return released


def _report(claimed: Claimed, outcome: Outcome) -> Report:
    state = outcome(claimed.scope, claimed.node)
    error = '{"code":"x","message":"told to"}' if state == "failed" else None
    output = str(claimed.scope * 1000 + claimed.node) if state == "succeeded" else None
    return Report(claimed.scope, claimed.node, claimed.attempt, state, 0.002, 0.001, output, error)


def drive(
    run: UUID, sent: list[Sent], outcome: Outcome, rand: random.Random, slots: int = 2
) -> int:
    """Deliver messages in random order, some twice, until none is left; returns how many."""
    workers = [SimulatedSlot(rand) for _ in range(slots)]
    travelling = [(item, hint) for item in sent for hint in item.hints]
    delivered = 0
    while travelling:
        message, hint = travelling.pop(rand.randrange(len(travelling)))
        delivered += 1
        assert delivered < 100_000, "the run does not end"
        released = rand.choice(workers).answer(run, message, hint, outcome)
        if rand.random() < 0.1:
            assert not rand.choice(workers).answer(run, message, hint, outcome), "ran twice"
        travelling += [(item, h) for item in released for h in item.hints]
    return delivered


def states(run: UUID, plan: Plan) -> dict[str, str]:
    """Final states of scope 0, by name, without ``end``."""
    rows = NodeRun.objects.filter(run_id=run, scope=0).values_list("node", "state")
    names = {node: plan.nodes[node].name for node, _ in rows}
    return {names[node]: state for node, state in rows if names[node] != "end"}


def assert_nothing_left(run: UUID) -> None:
    """A run that is over leaves no hint, wave or timer, and no slot that holds anything."""
    assert Run.objects.get(pk=run).finished_at is not None
    for model in (Hint, Wave, Timer):
        assert not model.objects.filter(run_id=run).exists(), model.__name__
    assert not Slot.objects.filter(run_id=run).exists()
    assert not Slot.objects.exclude(token=None).exists()
    assert GateRun.objects.filter(run_id=run, fired=False).count() == 0
    picture = Picture(str(run))
    picture.assert_nothing_open()
    picture.assert_replays()
