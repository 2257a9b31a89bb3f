"""Lists of runs among a million, as the API and the page answer them.

Every combination of filters that is offered, the first page and one from the middle, each asked
several times through the whole of Django but the network. Of a million runs nine in ten belong to
one workflow; one state is rare, and one state and one trigger have no run at all: that is where a
list without the right index reads everything.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from benchmarks.gaps import percentile
from benchmarks.names import USER
from celesta.access import tokens, workspaces
from celesta.access.models import Role
from celesta.api.pagination import cursor_of
from celesta.runs.models import Run
from celesta.workflows.models import Workflow
from celesta.workflows.publishing import publish

RUNS: Final = 1_000_000
QUICK_RUNS: Final = 20_000
#: The promise, in milliseconds.
PROMISE: Final = 200.0

DOCUMENT: Final = "workflow: {}\nnodes: {{a: {{type: transform, with: {{output: 1}}}}}}\n"
FLOWS: Final = ("orders.fulfil", "reports.monthly", "audit.nightly")

#: Ids are UUIDv7, as Celesta makes them: milliseconds, then chance.
SEED: Final = """
INSERT INTO celesta_run (id, workspace_id, workflow_id, version_id, state, params, trigger,
  trigger_ref, request_digest, next_scope, created_by, idempotency_key, created_at, started_at,
  finished_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
  %(workspace)s, f.workflow_id, f.id, s.state, jsonb_build_object('n', n),
  (ARRAY['api', 'schedule', 'schedule', 'console'])[1 + n %% 4], '', '', 1, 'someone',
  CASE WHEN n %% 10 = 0 THEN 'key-' || n END, at,
  CASE WHEN s.state <> 'pending' THEN at END,
  CASE WHEN s.state IN ('succeeded', 'failed', 'cancelled') THEN at + interval '5 s' END
FROM generate_series(1, %(runs)s) AS n
CROSS JOIN LATERAL (SELECT now() - (n * interval '8 s') AS at) AS t
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 1000 < 900 THEN 1 WHEN n %% 1000 < 999 THEN 2 ELSE 3 END
  AS flow) AS w
JOIN (SELECT id, workflow_id, row_number() OVER (ORDER BY id) AS flow
  FROM celesta_workflow_version) AS f ON f.flow = w.flow
CROSS JOIN LATERAL (SELECT CASE WHEN n <= 40 THEN 'running' WHEN n %% 5000 = 7 THEN 'cancelled'
  WHEN n %% 20 = 3 THEN 'failed' ELSE 'succeeded' END AS state) AS s
"""

STATES: Final = ("", "succeeded", "failed", "cancelled", "paused")
TRIGGERS: Final = ("", "schedule", "backfill")


@dataclass(frozen=True)
class Figure:
    """What one question took, in milliseconds."""

    door: str
    page: str
    filters: str
    p50: float
    p95: float
    rows: int


def measure(runs: int, times: int) -> list[Figure]:
    """Seed that many runs and ask each question so many times."""
    client, headers = _seeded(runs)
    return list(_figures(client, headers, runs, times))


def table(found: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| door | page | questions | p50 ms | p95 ms | slowest p95 ms | of |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for door, page in product(("API", "page"), ("first", "middle")):
        some = [one for one in found if (one.door, one.page) == (door, page)]
        worst = max(some, key=lambda one: one.p95)
        lines.append(
            f"| {door} | {page} | {len(some)} | {percentile([one.p50 for one in some], 50):.1f} "
            f"| {percentile([one.p95 for one in some], 95):.1f} | {worst.p95:.1f} "
            f"| `{worst.filters or 'no filter'}` |"
        )
    return "\n".join(lines)


def _seeded(runs: int) -> tuple[Client, dict[str, str]]:
    workspace = workspaces.default()
    user = get_user_model().objects.get(username=USER)
    for name in FLOWS:
        publish(workspace, DOCUMENT.format(name), by=user)
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(SEED, {"workspace": workspace.pk, "runs": runs})
        cursor.execute("VACUUM ANALYZE celesta_run")
    print(f"{runs:,} runs written in {time.perf_counter() - began:.0f} s")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    secret = tokens.issue(user, workspace, Role.VIEWER, USER)[1]
    return client, {"Authorization": f"Bearer {secret}"}


def _figures(client: Client, headers: dict[str, str], runs: int, times: int) -> Iterator[Figure]:
    flows = dict(Workflow.objects.values_list("name", "pk"))
    middle = Run.objects.order_by("-created_at")[runs // 2]
    day, old = _moment(runs // 50), _moment(runs - runs // 50)
    spans = ("", f"created_after={day}", f"created_before={old}")
    api = Client(SERVER_NAME="localhost")
    # What a process does once (it reads its addresses, templates, plans) is no price of a list.
    api.get("/api/v1/runs/", headers=headers)
    client.get("/runs/")
    # As project/asgi.py does: collecting all that is loaded is no price of a list either.
    gc.collect()
    gc.freeze()
    for state, trigger, flow, span in product(STATES, TRIGGERS, ("", *FLOWS[::2]), spans):
        states = f"{state},running" if state == "failed" else state
        asked = _joined(("state", states), ("trigger", trigger), ("workflow", flow), span)
        yield from _pages(api, headers, "/api/v1/runs/", asked, middle, times)
    for text in (str(middle.pk)[:6], str(middle.pk), "key-500010", "nightly", "orders", "nobody"):
        for name in ("q", "id") if text[0] == "0" else ("q",):
            for state in ("", "failed"):
                asked = _joined(("state", state), (name, text))
                yield from _pages(api, headers, "/api/v1/runs/", asked, middle, times)
    for state, trigger, flow in product(STATES, TRIGGERS, ("", *FLOWS[::2])):
        pk = str(flows[flow]) if flow else ""
        asked = _joined(("state", state), ("trigger", trigger), ("workflow", pk))
        yield from _pages(client, {}, "/runs/", asked, middle, times)
        recent = _joined(("state", state), ("trigger", trigger), ("workflow", pk), "since=7d")
        yield from _pages(client, {}, "/runs/", recent, middle, times)


def _moment(index: int) -> str:
    at = Run.objects.order_by("-created_at").values_list("created_at", flat=True)[index]
    return str(at.isoformat()).replace("+00:00", "Z")


def _joined(*parts: tuple[str, str] | str) -> str:
    told = (part if isinstance(part, str) else "=".join(part) * bool(part[1]) for part in parts)
    return "&".join(part for part in told if part)


def _pages(
    client: Client, headers: dict[str, str], path: str, asked: str, middle: Run, times: int
) -> Iterator[Figure]:
    place = (
        f"cursor={cursor_of([middle.created_at, middle.pk])}"
        if path.startswith("/api")
        else f"older={middle.pk}"
    )
    for page, more in (("first", ""), ("middle", place)):
        address = f"{path}?{'&'.join(filter(None, (asked, more)))}"
        taken, rows = _asked(partial(client.get, address, headers=headers), times)
        door = "API" if headers else "page"
        yield Figure(door, page, asked, percentile(taken, 50), percentile(taken, 95), rows)


def _asked(ask: Callable[[], Any], times: int) -> tuple[list[float], int]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        answer = ask()
        taken.append((time.perf_counter() - began) * 1e3)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code}: {answer.content[:300]!r}")
    body = answer.content
    rows = len(answer.json()["results"]) if body.startswith(b"{") else body.count(b"data-run=")
    return taken, rows
