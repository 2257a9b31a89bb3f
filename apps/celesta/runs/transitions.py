"""THE ONLY WRITER: every change of a run or a node goes through these functions.

Each is one call of a function of the database (``sql/``), hence one guarded transaction that writes
its history as well. Arguments called ``seconds`` or ``lease`` are in seconds. Each raises
psycopg.OperationalError when the database cannot be reached; the outcome is then unknown, and
:func:`held` tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connections

from celesta import conf
from celesta.runs.calls import (
    Begun,
    Claim,
    Claimed,
    Completion,
    Held,
    KeptNodes,
    LostHint,
    NewRun,
    NewRuns,
    Report,
    Sent,
    VersionKey,
)
from celesta.runs.connection import one, rows


# Arrays go as text: one type for the prepared statement whatever the values, and a tenth of what
# psycopg needs to look through lists.
def _numbers(values: Iterable[float]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _nullable(values: Iterable[float | None]) -> str:
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def _texts(values: Iterable[str | None]) -> str:
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | None) -> str:
    if value is None:
        return "NULL"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _claimed(
    scopes: list[int], nodes: list[int], attempts: list[int], losses: list[int], inputs: Any
) -> tuple[Claimed, ...]:
    given = inputs or [None] * len(nodes)
    return tuple(map(Claimed, scopes, nodes, attempts, losses, given))


def _sent(run: str, found: list[dict[str, Any]]) -> tuple[Sent, ...]:
    return tuple(
        Sent(
            run=run,
            scope=item["scope"],
            nodes=tuple(item["nodes"]),
            queue=item["queue"],
            priority=item["priority"],
            hints=tuple(item["hints"]),
            wave=item["wave"],
        )
        for item in found
    )


def start(new: NewRun) -> Begun:
    """Write a run in the *caller's* transaction, or find the one started under the same key."""
    with connections[conf.get("DATABASE")].cursor() as cursor:
        cursor.execute(
            "SELECT run_id, digest, created, sent::text, at FROM celesta_start_v1("
            "%s::uuid, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s::float8)",
            [
                new.id, new.workspace, new.workflow, new.version,
                orjson.dumps(new.params).decode(), new.key, new.digest, new.trigger,
                new.trigger_ref, new.by, new.deadline,
            ],
        )  # fmt: skip
        run, digest, created, sent, at = cursor.fetchone()
    return Begun(run, digest or "", created, _sent(str(run), orjson.loads(sent)), at)


def rerun(new: NewRun, kept: KeptNodes) -> Begun:
    """As :func:`start`, for a run some of whose nodes do not run."""
    given = {str(node): value for node, value in kept.given.items() if value is not None}
    with connections[conf.get("DATABASE")].cursor() as cursor:
        cursor.execute(
            "SELECT run_id, digest, created, sent::text, at FROM celesta_rerun_v1("
            "%s::uuid, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s::float8,"
            " %s::uuid, %s::int[], %s::int[], %s::text[], %s::jsonb)",
            [
                new.id, new.workspace, new.workflow, new.version,
                orjson.dumps(new.params).decode(), new.key, new.digest, new.trigger,
                new.trigger_ref, new.by, new.deadline,
                kept.of, list(kept.nodes), list(kept.old), list(kept.states),
                orjson.dumps(given).decode(),
            ],
        )  # fmt: skip
        run, digest, created, sent, at = cursor.fetchone()
    return Begun(run, digest or "", created, _sent(str(run), orjson.loads(sent)), at)


def start_many(new: NewRuns) -> dict[UUID, tuple[Sent, ...]]:
    """Write runs in the *caller's* transaction; those whose key was used before are left out."""
    if not new.runs:
        return {}
    with connections[conf.get("DATABASE")].cursor() as cursor:
        cursor.execute(
            "SELECT run_id, sent::text FROM celesta_start_many_v1(%s, %s, %s, %s::uuid[],"
            " %s::jsonb[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],"
            " %s, %s, %s, %s::float8)",
            [
                new.workspace, new.workflow, new.version,
                [run.id for run in new.runs],
                [orjson.dumps(run.params).decode() for run in new.runs],
                [run.key for run in new.runs],
                [run.digest for run in new.runs],
                [run.slot for run in new.runs],
                [run.slot_from for run in new.runs],
                new.trigger, new.trigger_ref, new.by, new.deadline,
            ],
        )  # fmt: skip
        found = cursor.fetchall()
    return {run: _sent(str(run), orjson.loads(sent)) for run, sent in found}


_CLAIM = (
    "SELECT c.answer, c.version, v.checksum, v.created_at, c.c_scopes, c.c_nodes, c.c_attempts,"
    " c.c_losses, c.c_inputs, c.c_wave, c.wave_left"
    " FROM celesta_claim_v1(%s::bigint, %s::bigint, %s::uuid, %s::int, %s::int, %s::bigint,"
    " %s::text, %s::int, %s::float8) c"
    " LEFT JOIN LATERAL (SELECT w.checksum, w.created_at FROM celesta_workflow_version w"
    " WHERE w.id = c.version LIMIT 1) v ON true"
)


def claim(
    slot: int,
    token: int,
    run: str,
    *,
    scope: int | None,
    node: int | None,
    hint: int | None,
    via: str,
    take: int,
    lease: float,
) -> Claim:
    """Claim what a message names: one node (scope, node), or up to ``take`` of a lane (hint)."""
    row = one(_CLAIM, (slot, token, run, scope, node, hint, via, take, lease))
    answer, pk, checksum, made, scopes, nodes, attempts, losses, inputs, wave, left = row
    version = None if pk is None else VersionKey(pk, checksum, made)
    return Claim(answer, version, _claimed(scopes, nodes, attempts, losses, inputs), wave, left)


_COMPLETE = (
    "SELECT answer, refused_scopes, refused_nodes, c_scopes, c_nodes, c_attempts, c_losses,"
    " c_inputs, wave_left, sent, ended FROM celesta_complete_v1("
    "%s::bigint, %s::bigint, %s::int, %s::uuid,"
    " %s::int[], %s::int[], %s::int[], %s::text[], %s::float8[], %s::float8[],"
    " %s::text[], %s::text[], %s::text[], %s::float8[],"
    " %s::int[], %s::int[], %s::int[], %s::int[],"
    " %s::text[], %s::int, %s::bigint, %s::boolean, %s::float8)"
)


def complete(
    slot: int,
    token: int,
    seq: int,
    run: str,
    reports: Sequence[Report],
    *,
    rest: Sequence[Claimed] = (),
    back: Sequence[Claimed] = (),
    queues: Sequence[str] = (),
    keep: int = 0,
    wave: int | None = None,
    leave: bool = False,
    lease: float,
) -> Completion:
    """Report ended nodes and go on: claim up to ``keep`` children or members of ``wave``."""
    row = one(
        _COMPLETE,
        (
            slot, token, seq, run,
            _numbers(r.scope for r in reports), _numbers(r.node for r in reports),
            _numbers(r.attempt for r in reports), _texts(r.state for r in reports),
            _numbers(r.began for r in reports), _numbers(r.ended for r in reports),
            _texts(r.output for r in reports), _texts(r.error for r in reports),
            _texts(r.kind for r in reports), _nullable(r.delay for r in reports),
            _numbers(c.scope for c in rest), _numbers(c.node for c in rest),
            _numbers(c.scope for c in back), _numbers(c.node for c in back),
            _texts(queues), keep, wave, leave, lease,
        ),
    )  # fmt: skip
    answer, x_scopes, x_nodes, scopes, nodes, attempts, losses, inputs, left, sent, ended = row
    return Completion(
        answer,
        tuple(zip(x_scopes or (), x_nodes or (), strict=True)),
        _claimed(scopes, nodes, attempts, losses, inputs),
        left,
        _sent(run, sent),
        ended,
    )


def expand(
    slot: int,
    token: int,
    seq: int,
    run: str,
    node: Claimed,
    items: Sequence[str],
    *,
    offset: int,
    total: int,
    tolerate: int,
    max_parallel: int | None,
    rest: Sequence[Claimed],
    lease: float,
) -> tuple[str, tuple[Sent, ...]]:
    """Write one chunk of a map's items (JSON texts); the last one releases them."""
    answer, sent = one(
        "SELECT answer, sent FROM celesta_expand_v1(%s::bigint, %s::bigint, %s::int, %s::uuid,"
        " %s::int, %s::int, %s::int, %s::int, %s::int, %s::text[], %s::int, %s::int,"
        " %s::int[], %s::int[], %s::float8)",
        (
            slot, token, seq, run, node.scope, node.node, node.attempt, offset, total, list(items),
            tolerate, max_parallel, _numbers(c.scope for c in rest), _numbers(c.node for c in rest),
            lease,
        ),
    )  # fmt: skip
    return answer, _sent(run, sent)


def held(slot: int, token: int) -> Held | None:
    """What the slot holds under this token; None when the token is not its own (any more)."""
    seq, _run, scopes, nodes, attempts, losses, inputs, wave = one(
        "SELECT seq, run, c_scopes, c_nodes, c_attempts, c_losses, c_inputs, wave"
        " FROM celesta_held_v1(%s::bigint, %s::bigint)",
        (slot, token),
    )
    if seq is None:
        return None
    return Held(seq, _claimed(scopes, nodes, attempts or [], losses or [], inputs), wave)


def last_seq(slot: int) -> int | None:
    """Number of the last call of a slot that was carried out; None when the slot is gone."""
    found = rows("SELECT seq FROM celesta_slot WHERE id = %s::bigint", (slot,))
    return found[0][0] if found else None


def not_standing(run: str, reports: Sequence[Report]) -> tuple[tuple[int, int], ...]:
    """Which of the reported rows, as (scope, node), are not in that state under that attempt."""
    return tuple(
        rows(
            "SELECT d.scope, d.node"
            " FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[])"
            " AS d(scope, node, attempt, state)"
            " LEFT JOIN celesta_node_run n ON n.run_id = %s::uuid AND n.scope = d.scope"
            " AND n.node = d.node AND n.attempt = d.attempt AND n.state = d.state"
            " WHERE n.run_id IS NULL",
            (
                [r.scope for r in reports],
                [r.node for r in reports],
                [r.attempt for r in reports],
                [r.state for r in reports],
                run,
            ),
        )
    )


def register_slot(worker: str, pid: int, queues: Sequence[str], lease: float) -> int:
    """A new, idle slot; returns its id."""
    (slot,) = one(
        "INSERT INTO celesta_slot (worker, pid, queues, seq, scopes, nodes, lease_until,"
        " idle_since, started_at) VALUES (%s::text, %s::int, %s::text[], 0, '{}', '{}',"
        " now() + make_interval(secs => %s::float8), now(), now()) RETURNING id",
        (worker, pid, list(queues), lease),
    )
    return int(slot)


def take_back(
    slot: int,
    token: int | None,
    *,
    seq: int | None = None,
    begun: int | None = None,
    blame: bool = True,
    force: bool = False,
) -> tuple[int, tuple[Sent, ...]]:
    """Take back what a dead slot held: (number of nodes, what has to be published).

    ``blame``: whether the node begun last counts a loss; ``force``: also before the lease has
    ended.
    """
    run = rows("SELECT run_id FROM celesta_slot WHERE id = %s::bigint", (slot,))
    taken, sent = one(
        "SELECT taken, sent FROM celesta_take_back_v1(%s::bigint, %s::bigint, %s::int, %s::int,"
        " %s::boolean, %s::boolean, %s::int)",
        (slot, token, seq, begun, blame, force, conf.get("MAX_LOSSES")),
    )
    return taken, _sent(str(run[0][0]) if run else "", sent)


def relieve(slot: int, token: int, seq: int, begun: int) -> tuple[Sent, ...]:
    """Give others what a slot holds and has not begun: it is busy with one long node.

    The slot's page must say so before this is called (see ``page.relieve``). Nothing happens when
    the slot has made another call since ``seq``.
    """
    run = rows("SELECT run_id FROM celesta_slot WHERE id = %s::bigint", (slot,))
    (sent,) = one(
        "SELECT celesta_relieve_v1(%s::bigint, %s::bigint, %s::int, %s::int)",
        (slot, token, seq, begun),
    )
    return _sent(str(run[0][0]) if run else "", sent)


def fire(run: UUID, timers: Sequence[int]) -> tuple[int, tuple[Sent, ...]]:
    """Fire due timers of one run: (number fired, what has to be published)."""
    fired, sent = one(
        "SELECT fired, sent FROM celesta_fire_v1(%s::uuid, %s::bigint[])", (run, list(timers))
    )
    return fired, _sent(str(run), sent)


def fire_many(due: Mapping[UUID, Sequence[int]]) -> dict[UUID, tuple[int, tuple[Sent, ...]]]:
    """As :func:`fire` for several runs in one commit, by run.

    The one transaction that touches more than one run. Nobody else's does, and runs are locked in
    the order of their ids, so it waits for no one who waits for it.
    """
    found = rows(
        "SELECT d.run, f.fired, f.sent FROM unnest(%s::uuid[], %s::text[]) AS d(run, timers)"
        " CROSS JOIN LATERAL celesta_fire_v1(d.run, d.timers::bigint[]) f",
        (sorted(due), [_numbers(due[run]) for run in sorted(due)]),
    )
    return {run: (fired, _sent(str(run), sent)) for run, fired, sent in found}


def report(
    run: str,
    scope: int,
    node: int,
    attempt: int,
    state: str,
    *,
    output: str | None = None,
    error: str | None = None,
    delay: float | None = None,
) -> tuple[bool, tuple[Sent, ...]]:
    """End a node that waits for somebody else: (accepted, what has to be published)."""
    accepted, sent = one(
        "SELECT accepted, sent FROM celesta_report_v1(%s::uuid, %s::int, %s::int, %s::int,"
        " %s::text, %s::text, %s::text, %s::float8)",
        (run, scope, node, attempt, state, output, error, delay),
    )
    return accepted, _sent(run, sent)


def cancel_if_open(run: UUID, by: str, reason: dict[str, Any]) -> str | None:
    """Move a run to ``cancelling``; returns the state it had (None: no such run)."""
    (before,) = one(
        "SELECT state_before FROM celesta_cancel_v1(%s::uuid, %s::text, %s::jsonb)",
        (run, by, orjson.dumps(reason).decode()),
    )
    return str(before) if before is not None else None


def pause_if_open(run: UUID, by: str, reason: str) -> str | None:
    """Move a run that has not ended to ``paused``; returns the state it had (None: no such run)."""
    (before,) = one(
        "SELECT state_before FROM celesta_pause_v1(%s::uuid, %s::text, %s::text)",
        (run, by, reason),
    )
    return str(before) if before is not None else None


def resume_if_paused(run: UUID, by: str) -> tuple[str | None, tuple[LostHint, ...]]:
    """Let a paused run go on: (the state it had, the messages that have to be sent again)."""
    before, hints = one(
        "SELECT state_before, hints FROM celesta_resume_v1(%s::uuid, %s::text)", (run, by)
    )
    return before, tuple(LostHint(run=str(run), **hint) for hint in hints)


def skip_if_waiting(
    run: UUID, scope: int, node: int, by: str, reason: str
) -> tuple[str | None, str | None, tuple[Sent, ...]]:
    """Skip a node that is ready or waits: (state of the run, of the node, what to publish).

    The states are those before; None is what does not exist.
    """
    run_before, state_before, sent = one(
        "SELECT run_before, state_before, sent"
        " FROM celesta_skip_v1(%s::uuid, %s::int, %s::int, %s::text, %s::text)",
        (run, scope, node, by, reason),
    )
    return run_before, state_before, _sent(str(run), sent)


def discard_if_open(letters: Sequence[int], by: str, reason: str) -> set[int]:
    """Discard dead letters that nobody has decided on; returns which of them those were."""
    found = rows(
        "UPDATE celesta_dead_letter SET state = 'discarded', decided_at = clock_timestamp(),"
        " decided_by = %s::text, reason = %s::text"
        " WHERE id = ANY (%s::bigint[]) AND state = 'open' RETURNING id",
        (by, reason, list(letters)),
    )
    return {row[0] for row in found}


def note_artifact_deleted(
    run: UUID, scope: int, node: int, attempt: int, data: dict[str, Any]
) -> None:
    """Say in the history, in the caller's transaction, that a file of a node run was deleted."""
    with connections[conf.get("DATABASE")].cursor() as cursor:
        cursor.execute(
            "INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)"
            " VALUES (%s, clock_timestamp(), 'artifact_deleted', %s, %s, %s, %s::jsonb)",
            [run, scope, node, attempt, orjson.dumps(data).decode()],
        )


def sweep(run: UUID, limit: int = 500) -> bool:
    """Cancel up to ``limit`` nodes of a cancelling run; True when the run is over."""
    (over,) = one("SELECT celesta_sweep_v1(%s::uuid, %s::int)", (run, limit))
    return bool(over)
