"""What keepers and the leader do with the run tables besides the functions of the protocol.

Nothing here changes a run or a node: leases, the leader's row, and when hints were sent. Times are
the database's; durations are in seconds. Each call is one statement and raises
psycopg.OperationalError when the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from celesta.runs.calls import LostHint, VersionKey
from celesta.runs.connection import one, rows

#: Seconds for which a slot must have been idle to prove that a hint of its queue never arrived.
IDLE_LONG_ENOUGH = 1.0
#: A hint that idle slots do not answer is sent again after at most this many times the first wait.
SLOWEST = 12
#: So many sends come at the first wait. A worker takes four messages ahead for each process
#: (Celery's default); one whose only process is stopped or busy for hours keeps them from an idle
#: one.
EAGER = 5


@dataclass(frozen=True, slots=True)
class SlotRow:
    """What a slot's row says: under ``token``, as of call ``seq``, it holds (scope, node) pairs."""

    id: int
    token: int | None
    seq: int
    run: str | None
    held: tuple[tuple[int, int], ...]
    wave: int | None
    #: True while its lease lasts.
    is_live: bool


# -- slots


def extend(tokens: Mapping[int, int | None], lease: float, *, idle: bool) -> dict[int, str | None]:
    """Extend the leases of slots that hold these tokens (None: nothing): ``{slot: run's state}``.

    ``idle`` says whether processes without a token are free, or busy with tasks that are not ours.
    A slot that a call is just writing is passed over: that call extends its lease itself.
    """
    found = rows(
        "UPDATE celesta_slot s SET lease_until = now() + make_interval(secs => %s::float8),"
        " idle_since = CASE WHEN s.token IS NULL AND %s::boolean"
        " THEN coalesce(s.idle_since, now()) END"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS d(id, token)"
        " WHERE s.id = d.id AND s.token IS NOT DISTINCT FROM d.token AND s.id IN"
        " (SELECT id FROM celesta_slot WHERE id = ANY (%s::bigint[]) FOR UPDATE SKIP LOCKED)"
        " RETURNING s.id, (SELECT r.state FROM celesta_run r WHERE r.id = s.run_id)",
        (lease, idle, list(tokens), list(tokens.values()), list(tokens)),
    )
    return {row[0]: row[1] for row in found}


def slot(number: int) -> SlotRow | None:
    """One slot's row; None when it is gone."""
    found = rows(
        "SELECT token, seq, run_id::text, scopes, nodes, wave, lease_until > now()"
        " FROM celesta_slot WHERE id = %s::bigint",
        (number,),
    )
    if not found:
        return None
    token, seq, run, scopes, nodes, wave, live = found[0]
    return SlotRow(number, token, seq, run, tuple(zip(scopes, nodes, strict=True)), wave, live)


def tries(run: str, scope: int, node: int) -> tuple[int, int]:
    """(attempt, losses) of a node run that exists."""
    attempt, losses = one(
        "SELECT attempt, losses FROM celesta_node_run"
        " WHERE run_id = %s::uuid AND scope = %s::int AND node = %s::int",
        (run, scope, node),
    )
    return attempt, losses


def expired_slots(after: float, limit: int, skip: Collection[int]) -> list[tuple[int, int]]:
    """(slot, token) of slots that hold something and whose lease ended ``after`` seconds ago."""
    found = rows(
        "SELECT id, token FROM celesta_slot WHERE token IS NOT NULL"
        " AND lease_until < now() - make_interval(secs => %s::float8) AND id <> ALL (%s::bigint[])"
        " ORDER BY lease_until LIMIT %s::int",
        (after, list(skip), limit),
    )
    return [(row[0], row[1]) for row in found]


def forget_slots(after: float) -> int:
    """Retire the slots whose lease ended ``after`` seconds ago and that hold nothing."""
    return _retire(after, [])


def retire_slots(slots: list[int]) -> int:
    """Retire these, whose processes have ended, as far as they hold nothing."""
    return _retire(None, slots)


def _retire(after: float | None, slots: list[int]) -> int:
    found = rows(
        "WITH gone AS (DELETE FROM celesta_slot WHERE token IS NULL"
        " AND (lease_until < now() - make_interval(secs => %s::float8) OR id = ANY (%s::bigint[]))"
        " RETURNING id, worker, pid, started_at)"
        " INSERT INTO celesta_past_slot (id, worker, pid, started_at) SELECT * FROM gone"
        " RETURNING id",
        (after, slots),
    )
    return len(found)


# -- the leader


def take_lead(holder: str, seconds: float, term: int | None) -> int | None:
    """Lead for ``seconds`` from now: go on with a term of ours, or begin one when nobody leads.

    Returns the term, or None when somebody else leads.
    """
    found = rows(
        "INSERT INTO celesta_leader AS l (id, holder, term, since, until) VALUES"
        " (1, %(holder)s::text, 1, clock_timestamp(),"
        "  clock_timestamp() + make_interval(secs => %(seconds)s::float8))"
        " ON CONFLICT (id) DO UPDATE SET"
        " term = l.term + (l.until <= clock_timestamp())::int,"
        " since = CASE WHEN l.until <= clock_timestamp() THEN clock_timestamp() ELSE l.since END,"
        " holder = excluded.holder, until = excluded.until"
        " WHERE l.until <= clock_timestamp()"
        "  OR l.term = %(term)s::bigint AND l.holder = %(holder)s::text RETURNING term",
        {"holder": holder, "seconds": seconds, "term": term},
    )
    return int(found[0][0]) if found else None


def leader_left() -> float:
    """Seconds until the present leader's time ends (none: 0)."""
    found = rows("SELECT extract(epoch FROM until - clock_timestamp())::float8 FROM celesta_leader")
    return max(0.0, float(found[0][0])) if found else 0.0


def leads(holder: str, term: int) -> bool:
    """True while that term lasts."""
    return bool(
        rows(
            "SELECT 1 FROM celesta_leader WHERE id = 1 AND term = %s::bigint"
            " AND holder = %s::text AND until > clock_timestamp()",
            (term, holder),
        )
    )


def resign(holder: str, term: int) -> bool:
    """End one's own term now; False when it had ended."""
    return bool(
        rows(
            "UPDATE celesta_leader SET until = clock_timestamp() WHERE id = 1"
            " AND term = %s::bigint AND holder = %s::text AND until > clock_timestamp()"
            " RETURNING 1",
            (term, holder),
        )
    )


# -- timers


@dataclass(frozen=True, slots=True)
class DueTimers:
    """Timers of one run, of that version, that are due."""

    run: UUID
    version: VersionKey
    timers: list[int]


def due_timers(limit: int, skip: Collection[UUID]) -> list[DueTimers]:
    """The timers that are due, oldest first, by run. Those that are held are not looked at.

    A timer that comes due in a paused run is read once: firing it holds it.
    """
    found = rows(
        "SELECT d.run_id, v.id, v.checksum, v.created_at, array_agg(d.id ORDER BY d.id) FROM ("
        "  SELECT t.id, t.run_id, r.version_id FROM celesta_timer t"
        "  JOIN celesta_run r ON r.id = t.run_id"
        "  WHERE t.due_at <= now() AND NOT t.held AND t.kind <> 'deadline'"
        "    AND t.run_id <> ALL (%s::uuid[]) ORDER BY t.due_at LIMIT %s::int) d"
        " JOIN celesta_workflow_version v ON v.id = d.version_id"
        " GROUP BY d.run_id, v.id ORDER BY d.run_id",
        (list(skip), limit),
    )
    return [DueTimers(run, VersionKey(*key), timers) for run, *key, timers in found]


def past_deadline(limit: int, skip: Collection[UUID]) -> list[UUID]:
    """Open runs whose deadline has passed. The deadline of a paused run stands still."""
    found = rows(
        "SELECT t.run_id FROM celesta_timer t JOIN celesta_run r ON r.id = t.run_id"
        " WHERE t.due_at <= now() AND NOT t.held AND t.kind = 'deadline'"
        " AND r.state IN ('pending', 'running')"
        " AND t.run_id <> ALL (%s::uuid[]) ORDER BY t.due_at LIMIT %s::int",
        (list(skip), limit),
    )
    return [row[0] for row in found]


def cancelling_runs(limit: int, skip: Collection[UUID]) -> list[UUID]:
    """Runs that are being cancelled."""
    found = rows(
        "SELECT id FROM celesta_run WHERE state = 'cancelling' AND id <> ALL (%s::uuid[])"
        " ORDER BY id LIMIT %s::int",
        (list(skip), limit),
    )
    return [row[0] for row in found]


# -- hints

_LOST = """
WITH claimed AS (
  SELECT hint_queue AS queue, hint_priority AS priority, max(hint_sent_at) AS sent_at
  FROM celesta_slot WHERE hint_sent_at IS NOT NULL GROUP BY hint_queue, hint_priority
), heard AS (
  SELECT q.queue, coalesce(bool_or(s.token IS NULL
    AND s.idle_since < now() - make_interval(secs => %(idle)s::float8)), false) AS idle
  FROM celesta_slot s CROSS JOIN unnest(s.queues) AS q(queue)
  WHERE s.lease_until > now() GROUP BY q.queue
), lost AS (
  SELECT h.id FROM celesta_hint h
  JOIN celesta_run r ON r.id = h.run_id AND r.state IN ('pending', 'running')
  JOIN heard q ON q.queue = h.queue
  LEFT JOIN claimed c ON c.queue = h.queue AND c.priority = h.priority
  WHERE h.sent_at < c.sent_at - make_interval(secs => %(after)s::float8)
    OR q.idle AND h.sent_at < now() - make_interval(
      secs => %(after)s::float8
        * least(%(slowest)s::int, 2 ^ greatest(0, h.sends - %(eager)s::int)))
    OR h.sent_at
      < now() - make_interval(secs => %(backstop)s::float8 * 2 ^ least(h.sends - 1, 10))
  ORDER BY h.sent_at LIMIT %(limit)s::int FOR UPDATE OF h SKIP LOCKED
)
UPDATE celesta_hint h SET sent_at = now(), sends = least(h.sends + 1, 100)
FROM lost WHERE h.id = lost.id AND EXISTS (
  SELECT 1 FROM celesta_leader WHERE id = 1 AND term = %(term)s::bigint
    AND holder = %(holder)s::text AND until > clock_timestamp())
RETURNING h.id, h.run_id::text, h.scope, h.node, h.wave, h.queue, h.priority
"""


def resend_lost_hints(
    holder: str, term: int, *, after: float, backstop: float, limit: int
) -> list[LostHint]:
    """Mark lost hints as sent now, and return them for sending; only while that term lasts.

    A hint is lost when one of its queue and priority that was sent ``after`` seconds later was
    claimed, or when it is older than that and a slot of its queue has nothing to do; otherwise it
    is backlog, and waits for ``backstop`` seconds, then twice that, and so on. Nothing is sent to
    a queue that no live slot listens to.
    """
    found = rows(
        _LOST,
        {
            "holder": holder,
            "term": term,
            "after": after,
            "backstop": backstop,
            "limit": limit,
            "idle": IDLE_LONG_ENOUGH,
            "slowest": SLOWEST,
            "eager": EAGER,
        },
    )
    return [LostHint(*row) for row in found]


def clear_leftovers() -> int:
    """Delete hints, waves and timers of runs that are over; returns how many there were.

    Runs clear their own when they end; this is for what a call under way at that moment left.
    """
    return sum(
        len(
            rows(
                f"DELETE FROM {table} t USING celesta_run r WHERE r.id = t.run_id"  # noqa: S608
                " AND r.state IN ('succeeded', 'failed', 'cancelled') RETURNING 1"
            )
        )
        for table in ("celesta_wave", "celesta_hint", "celesta_timer")
    )
