"""Who may open and do what, for each page: role by address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from celesta.access.principals import SYSTEM
from celesta.artifacts import store
from celesta.runs.models import Run
from celesta.triggers import backfills, schedules
from celesta.triggers.models import Schedule
from celesta.vault.models import Variable
from celesta.workflows.models import WorkflowVersion

ROLES = ("viewer", "operator", "author", "approver", "admin", "superuser")
EVERYONE = frozenset(ROLES)
OPERATORS = EVERYONE - {"viewer"}
AUTHORS = OPERATORS - {"operator"}

#: address, its arguments, method, who may
PAGES = [
    ("home", "", "get", EVERYONE),
    ("dashboard", "", "get", EVERYONE),
    ("runs", "", "get", EVERYONE),
    ("run", "run", "get", EVERYONE),
    ("node", "node", "get", EVERYONE),
    ("node-log", "node", "get", EVERYONE),
    ("workers", "", "get", OPERATORS),
    ("events", "run", "get", EVERYONE),
    ("timeline", "run", "get", EVERYONE),
    ("value", "value", "get", EVERYONE),
    ("cancel", "run", "get", OPERATORS),
    ("run-rerun", "run", "get", OPERATORS),
    ("run-rerun", "run", "post", OPERATORS),
    ("node-skip", "node", "get", OPERATORS),
    ("run-pause", "run", "get", OPERATORS),
    ("again", "run", "post", OPERATORS),
    ("artifact", "artifact", "get", EVERYONE),
    ("artifact-content", "artifact", "get", EVERYONE),
    ("artifact-delete", "artifact", "get", OPERATORS),
    ("templates", "", "get", EVERYONE),
    ("template", "template", "get", EVERYONE),
    ("template", "template", "post", AUTHORS),
    ("coming", "", "get", EVERYONE),
    ("schedule", "schedule", "get", EVERYONE),
    ("schedule-pause", "schedule", "post", OPERATORS),
    ("schedule-run", "schedule", "post", OPERATORS),
    ("backfill-new", "schedule", "get", OPERATORS),
    ("backfill-new", "schedule", "post", OPERATORS),
    ("backfill", "backfill", "get", EVERYONE),
    ("backfill-move", "move", "post", OPERATORS),
    ("workflows", "", "get", EVERYONE),
    ("transfer", "", "get", EVERYONE),
    ("export", "", "get", EVERYONE),
    ("import", "", "get", AUTHORS),
    ("import", "", "post", AUTHORS),
    ("workflow-new", "", "get", AUTHORS),
    ("workflow-new", "", "post", AUTHORS),
    ("validate", "", "post", EVERYONE),
    ("workflow", "workflow", "get", EVERYONE),
    ("grid", "workflow", "get", EVERYONE),
    ("activate", "workflow", "post", AUTHORS),
    ("pause", "workflow", "post", AUTHORS),
    ("design-new", "", "get", AUTHORS),
    ("draft-new", "", "post", AUTHORS),
    ("design", "workflow", "get", AUTHORS),
    ("draft", "workflow", "post", AUTHORS),
    ("draft-publish", "workflow", "post", AUTHORS),
    ("edit", "workflow", "get", AUTHORS),
    ("edit", "workflow", "post", AUTHORS),
    ("start", "workflow", "get", OPERATORS),
    ("versions", "workflow", "get", EVERYONE),
    ("version", "version", "get", EVERYONE),
    ("restore", "version", "post", AUTHORS),
    ("diff", "diff", "get", EVERYONE),
    ("compare", "workflow", "get", EVERYONE),
]
IDS = [f"{name}-{method}" for name, _, method, _ in PAGES]


@pytest.fixture
def address(
    run: Run, version: WorkflowVersion, settings: object, tmp_path: object
) -> Callable[[str, str], str]:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}  # type: ignore[attr-defined]
    saved = store.save(run.pk, 0, 0, "fetch", 1, run.workspace_id, "a.txt", b"hello")
    nightly = Schedule(workspace=run.workspace, workflow=version.workflow, name="nightly")
    nightly.cron, nightly.params = "0 2 * * *", {"order_id": 1}
    schedules.save(nightly)
    end = datetime(2026, 1, 9, tzinfo=UTC)
    draft = backfills.of_schedule(nightly, end - timedelta(days=3), end)
    made = backfills.create(draft, principal=SYSTEM)
    arguments: dict[str, list[object]] = {
        "": [],
        "schedule": [nightly.pk],
        "backfill": [made.pk],
        "move": [made.pk, "pause"],
        "template": ["dunning"],
        "run": [run.pk],
        "node": [run.pk, 0, 0],
        "value": [run.pk, "params"],
        "artifact": [saved["artifact"]],
        "workflow": [version.workflow_id],
        "version": [version.workflow_id, 1],
        "diff": [version.workflow_id, 1, 1],
    }
    return lambda name, kind: reverse(f"celesta_console:{name}", args=arguments[kind])


@pytest.mark.parametrize(("name", "kind", "method", "allowed"), PAGES, ids=IDS)
def test_each_role_gets_what_it_may_and_no_more(
    name: str,
    kind: str,
    method: str,
    allowed: frozenset[str],
    address: Callable[[str, str], str],
    client_of: Callable[[str], Client],
) -> None:
    where = address(name, kind)
    for who in ROLES:
        answer = getattr(client_of(who), method)(where)
        if who in allowed:
            assert answer.status_code in (200, 201, 302, 400, 409, 422), (who, answer.status_code)
            assert "/login/" not in answer.headers.get("Location", "")
        else:
            assert answer.status_code == 403, (who, answer.status_code)
            assert b"role_too_low" in answer.content


@pytest.mark.parametrize(("name", "kind", "method", "allowed"), PAGES, ids=IDS)
def test_members_of_another_workspace_find_nothing(
    name: str,
    kind: str,
    method: str,
    allowed: frozenset[str],
    address: Callable[[str, str], str],
    client_of: Callable[[str], Client],
) -> None:
    answer = getattr(client_of("stranger"), method)(address(name, kind))
    if kind == "template":
        assert answer.status_code in (200, 400)  # the same in every workspace; for their own
    elif kind:
        assert answer.status_code == 404
    else:
        assert answer.status_code in (200, 201, 302, 400)
        assert b"orders.fulfil" not in answer.content


@pytest.mark.parametrize(("name", "kind", "method", "allowed"), PAGES, ids=IDS)
def test_who_is_no_member_and_who_is_not_signed_in_see_nothing(
    name: str,
    kind: str,
    method: str,
    allowed: frozenset[str],
    address: Callable[[str, str], str],
    client_of: Callable[[str], Client],
) -> None:
    nobody = getattr(client_of("nobody"), method)(address(name, kind))
    assert nobody.status_code == 403
    assert b"no_workspace" in nobody.content
    for who in ("guest", "outsider"):
        answer = getattr(client_of(who), method)(address(name, kind))
        assert answer.status_code == 302
        assert "/admin/login/" in answer.headers["Location"]


ADMIN = [
    ("celesta_vault_variable", EVERYONE, AUTHORS),
    ("celesta_triggers_schedule", EVERYONE, OPERATORS),
    ("celesta_access_token", frozenset({"admin", "superuser"}), frozenset({"admin", "superuser"})),
]


@pytest.mark.parametrize(("model", "readers", "writers"), ADMIN, ids=[row[0] for row in ADMIN])
def test_the_admin_follows_roles_too(
    model: str,
    readers: frozenset[str],
    writers: frozenset[str],
    client_of: Callable[[str], Client],
    run: Run,
) -> None:
    for who in ROLES:
        client = client_of(who)
        listed = client.get(reverse(f"admin:{model}_changelist")).status_code
        assert listed == (200 if who in readers else 403), who
        added = client.get(reverse(f"admin:{model}_add")).status_code
        assert added == (200 if who in writers else 403), who
    assert client_of("nobody").get(reverse(f"admin:{model}_changelist")).status_code == 403


def test_rows_of_another_workspace_are_not_in_the_admin(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    workspace = version.workflow.workspace
    variable = Variable.objects.create(workspace=workspace, name="shop_url", value="x")
    schedule = schedules.save(
        Schedule(
            workspace=workspace, workflow=version.workflow, name="nightly", cron="0 2 * * *",
            params={"order_id": 1},
        )
    )  # fmt: skip
    stranger = client_of("stranger")
    for model, row in (
        ("celesta_vault_variable", variable),
        ("celesta_triggers_schedule", schedule),
    ):
        listed = stranger.get(reverse(f"admin:{model}_changelist"))
        assert row.name.encode() not in listed.content
        for page in ("change", "delete", "history"):
            answer = stranger.get(reverse(f"admin:{model}_{page}", args=[row.pk]))
            assert answer.status_code in (302, 403, 404), page  # Django leads back to its index
        gone = stranger.post(reverse(f"admin:{model}_delete", args=[row.pk]), {"post": "yes"})
        assert gone.status_code in (302, 403, 404)
        assert type(row).objects.filter(pk=row.pk).exists()


def test_a_stranger_cannot_add_rows_to_another_workspace(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    answer = client_of("stranger").post(
        reverse("admin:celesta_vault_variable_add"),
        {"workspace": version.workflow.workspace_id, "name": "x", "value": "1"},
    )
    assert answer.status_code == 200  # the form again: that workspace is no choice
    assert not Variable.objects.exists()
