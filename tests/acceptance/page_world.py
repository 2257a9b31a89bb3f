"""A world in which every page has something to show, long names and long errors included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from celesta.access import tokens, workspaces
from celesta.access.models import Membership, Role, Workspace
from celesta.access.principals import SYSTEM
from celesta.artifacts import store
from celesta.engine.start import start_run
from celesta.runs.models import NodeRun, Run
from celesta.triggers import backfills, schedules
from celesta.triggers.models import Schedule
from celesta.vault.models import Variable
from celesta.workflows import drafts, publishing
from celesta.workflows.models import WorkflowVersion
from tests.processes import wait_for

QUEUE = "default"
WORKLOAD = {"DJANGO_SETTINGS_MODULE": "tests.settings.workload"}
LONG = "reconcile_the_ledgers_of_every_shop_with_the_statements_of_its_bank"

DOCUMENT = f"""\
workflow: shop.{LONG}
title: Fulfil an order, whatever was ordered, by whom and to wherever it has to be sent
description: {"Takes an order, prices it, reserves its lines, and ships it. " * 3}
tags: [shop, nightly, ledger-of-the-group]
params:
  type: object
  required: [order]
  properties:
    order: {{type: integer, minimum: 1, title: Number of the order, description: As printed on it.}}
    divisor: {{type: integer, default: 1}}
    rush: {{type: boolean, default: false, title: Rush}}
    speed: {{enum: [slow, quick], default: slow}}
    address: {{type: object, default: {{street: Long Street 1, city: Town}}}}
nodes:
  fetch: {{type: python, with: {{function: test.speak}}}}
  chatter: {{type: python, with: {{function: test.chatter, args: {{lines: 400, width: 300}}}}}}
  {LONG}:
    type: transform
    title: Reconcile the ledgers of every shop with the statements of its bank
    needs: [fetch]
    with: {{output: "{{{{ 100 / params.divisor }}}}"}}
  lines:
    type: map
    needs: [fetch]
    with:
      over: [{", ".join(map(str, range(60)))}]
      do: {{type: transform, with: {{output: "{{{{ item }}}}"}}}}
  route:
    type: branch
    needs: [{LONG}]
    with: {{cases: {{large: "{{{{ params.order > 5 }}}}"}}, default: small}}
  approve:
    type: wait
    needs: [route.large]
    with: {{for: 1h}}
  ship:
    type: transform
    needs: [lines, route.small]
    join: none_failed
    with: {{output: {{wide: {list(range(200))}}}}}
output: "{{{{ nodes.ship.output }}}}"
"""


@dataclass
class World:
    """What there is, and by what a page is asked for it."""

    version: WorkflowVersion
    succeeded: Run
    failed: Run
    waiting: Run
    models: dict[str, Model]
    backfill: int
    artifact: int
    indices: dict[str, int] = field(default_factory=dict)


def filled(user: Any, *, runs: int = 60) -> World:
    """Everything that a page can show. A worker with the workload's functions has to be up."""
    import tests.workload.celesta_nodes  # noqa: F401 - publishing checks its functions

    workspace = workspaces.default()
    Workspace.objects.get_or_create(slug="branch-office", defaults={"name": "Branch office"})
    publishing.publish(workspace, DOCUMENT.replace("[shop, ", "["), by=None)
    version = publishing.publish(workspace, DOCUMENT, by=user, note="Another tag")
    _crowd(version, runs)
    started = {
        name: start_run(version, params, principal=SYSTEM, trigger="schedule").run
        for name, params in (
            ("succeeded", {"order": 1}),
            ("failed", {"order": 2, "divisor": 0}),
            ("waiting", {"order": 9}),
        )
    }
    indices = {one.name: one.index for one in version.plan.nodes}
    waits = NodeRun.objects.filter(
        run_id=started["waiting"].pk, node=indices["approve"], state="waiting"
    )
    wait_for(
        lambda: (
            Run.objects.filter(
                pk__in=[started["succeeded"].pk, started["failed"].pk], finished_at__isnull=False
            ).count()
            == 2
            and waits.exists()
        ),
        60.0,
    )
    drafts.save(
        version.workflow, DOCUMENT.replace("type: wait", "type: wiat"),
        drafts.opened(version.workflow).revision, by=user,
    )  # fmt: skip
    schedule = schedules.save(
        Schedule(
            workspace=workspace, workflow=version.workflow, name=f"nightly {LONG}",
            cron="30 2 * * *", timezone="America/St_Johns", params={"order": 1},
        )
    )  # fmt: skip
    now = timezone.now()
    schedules.tick(schedule_id=schedule.pk, now=schedule.next_at or now)
    backfill = backfills.create(
        backfills.of_schedule(schedule, now - timedelta(days=6), now), principal=SYSTEM
    )
    saved = store.save(
        started["succeeded"].pk, 0, indices["fetch"], "fetch", 1, workspace.pk,
        f"{LONG}.html", "<h1>Report</h1><p>All is well.</p>",
    )  # fmt: skip
    membership, _ = Membership.objects.get_or_create(
        workspace=workspace, user=user, defaults={"role": Role.ADMIN}
    )
    token, _ = tokens.issue(user, workspace, Role.OPERATOR, f"The token of {LONG}")
    variable = Variable.objects.create(
        workspace=workspace, name="shop_url", value={"url": "https://shop", "wide": list(range(90))}
    )
    found = {name: Run.objects.get(pk=run.pk) for name, run in started.items()}
    return World(
        version=version, **found,
        models={
            "celesta_access_workspace": workspace, "celesta_access_token": token,
            "celesta_access_membership": membership,
            "celesta_triggers_schedule": schedule, "celesta_vault_variable": variable,
        },
        backfill=backfill.pk, artifact=saved["artifact"], indices=indices,
    )  # fmt: skip


def _crowd(version: WorkflowVersion, number: int) -> None:
    """Many runs that have ended, some with an error that is long and has no space to break at."""
    now = timezone.now()
    error = {"code": "node_failed", "node": LONG, "message": "no money, " * 40 + "x" * 300}
    Run.objects.bulk_create(
        Run(
            id=uuid7(), workspace=version.workflow.workspace, workflow=version.workflow,
            version=version, state="failed" if n % 5 == 0 else "succeeded",
            error=error if n % 5 == 0 else None, params={"order": n}, created_by="a" * 60,
            created_at=now - timedelta(minutes=n), started_at=now - timedelta(minutes=n),
            finished_at=now - timedelta(minutes=n) + timedelta(seconds=n % 7),
        )
        for n in range(1, number + 1)
    )  # fmt: skip


def addresses(world: World) -> Iterator[tuple[str, str]]:
    """Name in the URL configuration, and address, of every page that can be opened."""
    flow, run = world.version.workflow_id, world.succeeded.pk
    failed, waiting = world.failed.pk, world.waiting.pk
    at = world.indices
    schedule = world.models["celesta_triggers_schedule"].pk
    ours: list[tuple[str, list[Any], str]] = [
        ("dashboard", [], ""),
        ("runs", [], ""),
        ("runs", [], "?state=failed"),
        ("runs", [], "?id=ffff"),
        ("runs-bulk", ["cancel"], "?state=failed"),
        ("dead-letters", [], ""),
        ("letters-bulk", ["retry"], "?state=open"),
        ("run", [run], ""),
        ("run", [failed], ""),
        ("run", [waiting], ""),
        ("node", [run, 0, at["fetch"]], ""),
        ("node", [run, 0, at["chatter"]], ""),
        ("node", [run, 0, at["lines"]], ""),
        ("node", [failed, 0, at[LONG]], ""),
        ("node", [waiting, 0, at["approve"]], ""),
        ("node-skip", [waiting, 0, at["approve"]], ""),
        ("timeline", [run], ""),
        ("timeline", [waiting], ""),
        ("events", [run], ""),
        ("cancel", [waiting], ""),
        ("run-pause", [waiting], ""),
        ("run-rerun", [failed], ""),
        ("artifact", [world.artifact], ""),
        ("artifact-delete", [world.artifact], ""),
        ("schedule", [schedule], ""),
        ("backfill-new", [schedule], ""),
        ("backfill", [world.backfill], ""),
        ("templates", [], ""),
        ("template", ["access-review"], ""),
        ("workers", [], ""),
        ("workflows", [], ""),
        ("workflow-new", [], ""),
        ("design-new", [], ""),
        ("transfer", [], ""),
        ("workflow", [flow], ""),
        ("edit", [flow], ""),
        ("design", [flow], ""),
        ("start", [flow], ""),
        ("grid", [flow], ""),
        ("versions", [flow], ""),
        ("version", [flow, 1], ""),
        ("diff", [flow, 1, 2], ""),
        # What is not there, and what is refused.
        ("run", [uuid7()], ""),
        ("template", ["no-such-template"], ""),
        ("runs-bulk", ["pause"], "?of=chosen"),
    ]
    for name, args, query in ours:
        yield f"celesta_console:{name}", reverse(f"celesta_console:{name}", args=args) + query
    for name in ("index", "password_change"):
        yield f"admin:{name}", reverse(f"admin:{name}")
    for app in ("celesta_access", "celesta_triggers", "celesta_vault"):
        yield "admin:app_list", reverse("admin:app_list", args=[app])
    for model, row in world.models.items():
        for view in ("changelist", "add"):
            yield f"admin:{model}_{view}", reverse(f"admin:{model}_{view}")
        for view in ("change", "history", "delete"):
            yield f"admin:{model}_{view}", reverse(f"admin:{model}_{view}", args=[row.pk])
    token = world.models["celesta_access_token"].pk
    yield (
        "admin:celesta_access_token_rotate",
        reverse("admin:celesta_access_token_rotate", args=[token]),
    )


def enumerated(keep: Callable[[str], bool]) -> set[str]:
    """Every name of the URL configuration, with its namespaces, that ``keep`` wants."""

    def below(resolver: Any, before: str) -> Iterator[str]:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                inside = f"{pattern.namespace}:" if pattern.namespace else ""
                yield from below(pattern, before + inside)
            elif pattern.name:
                yield before + pattern.name

    return {name for name in below(get_resolver(), "") if keep(name)}
