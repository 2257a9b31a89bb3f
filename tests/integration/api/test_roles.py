"""Every address of the API against every role, nobody, and a member of another workspace."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import override_settings
from django.urls import URLPattern, URLResolver
from pytest_django.plugin import DjangoDbBlocker

from celesta.access import workspaces
from celesta.access.models import Membership, Role, Workspace
from celesta.api.base import BaseView
from celesta.api.urls import urlpatterns
from celesta.artifacts import store
from celesta.runs.models import DeadLetter, Run
from celesta.vault.models import Variable
from celesta.workflows import archive
from celesta.workflows.models import Workflow
from tests.integration.api.conftest import DOCUMENT, Api, client_of, problem_of, publish

V, OP, A, ADMIN = Role.VIEWER, Role.OPERATOR, Role.AUTHOR, Role.ADMIN

NIGHTLY = {
    "name": "nightly", "workflow": "orders.fulfil", "cron": "0 2 * * *", "params": {"order_id": 1}
}  # fmt: skip
YESTERDAY = {
    "workflow": "orders.fulfil", "every": 3600, "params": {"order_id": 1},
    "begin": "2026-01-01T00:00:00Z", "until": "2026-01-01T03:00:00Z",
}  # fmt: skip

#: An archive without workflows.
ARCHIVE = archive.pack(Workflow.objects.none())

#: (method, address, body) -> the lowest role that may, whether another workspace's caller gets 404
TABLE: list[tuple[str, str, Any, Role, bool]] = [
    ("GET", "me/", None, V, False),
    ("GET", "node-types/", None, V, False),
    ("GET", "overview/", None, V, False),
    ("GET", "workflows/orders.fulfil/grid/", None, V, True),
    ("GET", "templates/", None, V, False),
    ("GET", "templates/dunning/", None, V, False),
    ("POST", "templates/dunning/use/", {"name": "finance.dunning"}, A, False),
    ("GET", "workspaces/", None, V, False),
    ("POST", "workspaces/", {"slug": "made", "name": "Made"}, ADMIN, False),
    ("GET", "workspaces/default/", None, V, True),
    ("PUT", "workspaces/default/", {"slug": "default", "name": "Ours"}, ADMIN, True),
    ("DELETE", "workspaces/default/", None, ADMIN, True),
    ("GET", "workspaces/default/members/", None, V, True),
    ("POST", "workspaces/default/members/", {"user": "eve", "role": "viewer"}, ADMIN, True),
    ("GET", "workspaces/default/members/mia/", None, V, True),
    ("PUT", "workspaces/default/members/mia/", {"role": "author"}, ADMIN, True),
    ("DELETE", "workspaces/default/members/mia/", None, ADMIN, True),
    ("GET", "tokens/", None, ADMIN, False),
    ("POST", "tokens/", {"name": "t", "role": "viewer"}, ADMIN, False),
    ("GET", "tokens/{token}/", None, ADMIN, True),
    ("POST", "tokens/{token}/rotate/", {"overlap": 60}, ADMIN, True),
    ("DELETE", "tokens/{token}/", None, ADMIN, True),
    ("GET", "variables/", None, V, False),
    ("POST", "variables/", {"name": "new", "value": 1}, A, False),
    ("GET", "variables/url/", None, V, True),
    ("PUT", "variables/url/", {"value": 2}, A, True),
    ("DELETE", "variables/url/", None, A, True),
    ("GET", "workflows/", None, V, False),
    ("POST", "workflows/", DOCUMENT.replace("orders.fulfil", "new"), A, False),
    ("POST", "workflows/validate/", DOCUMENT, V, False),
    ("GET", "workflows/export/", None, V, False),
    ("POST", "workflows/import/?preview=true", ARCHIVE, A, False),
    ("GET", "workflows/orders.fulfil/", None, V, True),
    ("PUT", "workflows/orders.fulfil/", DOCUMENT, A, False),
    ("GET", "workflows/orders.fulfil/draft/", None, V, True),
    ("PUT", "workflows/orders.fulfil/draft/", DOCUMENT, A, False),
    ("DELETE", "workflows/orders.fulfil/draft/", None, A, True),
    ("POST", "workflows/orders.fulfil/draft/publish/", None, A, True),
    ("POST", "workflows/orders.fulfil/dry-run/", {"params": {"order_id": 1}}, V, True),
    ("POST", "dry-run/", {"source": DOCUMENT, "params": {"order_id": 1}}, V, False),
    ("POST", "workflows/orders.fulfil/activate/", None, A, True),
    ("POST", "workflows/orders.fulfil/deactivate/", None, A, True),
    ("POST", "workflows/orders.fulfil/pause/", None, A, True),
    ("POST", "workflows/orders.fulfil/resume/", None, A, True),
    ("GET", "workflows/orders.fulfil/runs/", None, V, True),
    ("POST", "workflows/orders.fulfil/runs/", {"params": {"order_id": 1}}, OP, True),
    (
        "POST",
        "workflows/orders.fulfil/runs/bulk/",
        {"runs": [{"params": {"order_id": 1}}]},
        OP,
        True,
    ),
    ("GET", "workflows/orders.fulfil/versions/", None, V, True),
    ("POST", "workflows/orders.fulfil/versions/", DOCUMENT, A, True),
    ("GET", "workflows/orders.fulfil/versions/1/", None, V, True),
    ("GET", "workflows/orders.fulfil/versions/1/diff/?against=1", None, V, True),
    ("POST", "workflows/orders.fulfil/versions/1/restore/", None, A, True),
    ("GET", "schedules/", None, V, False),
    ("POST", "schedules/", NIGHTLY, OP, False),
    ("POST", "schedules/preview/", {"every": 60}, V, False),
    ("GET", "schedules/{schedule}/", None, V, True),
    ("PUT", "schedules/{schedule}/", NIGHTLY, OP, True),
    ("DELETE", "schedules/{schedule}/", None, OP, True),
    ("GET", "schedules/{schedule}/next/", None, V, True),
    ("GET", "schedules/{schedule}/slots/", None, V, True),
    ("POST", "schedules/{schedule}/pause/", None, OP, True),
    ("POST", "schedules/{schedule}/resume/", None, OP, True),
    ("POST", "schedules/{schedule}/run/", None, OP, True),
    ("GET", "backfills/", None, V, False),
    ("POST", "backfills/", YESTERDAY, OP, False),
    ("POST", "backfills/?preview=true", YESTERDAY, OP, False),
    ("GET", "backfills/{backfill}/", None, V, True),
    ("GET", "backfills/{backfill}/slots/", None, V, True),
    ("POST", "backfills/{backfill}/pause/", None, OP, True),
    ("POST", "backfills/{backfill}/resume/", None, OP, True),
    ("POST", "backfills/{backfill}/cancel/", None, OP, True),
    ("GET", "runs/", None, V, False),
    ("GET", "runs/{run}/", None, V, True),
    ("POST", "runs/{run}/cancel/", None, OP, True),
    ("POST", "runs/{run}/pause/", None, OP, True),
    ("POST", "runs/{run}/resume/", None, OP, True),
    ("POST", "runs/{run}/rerun/", {"mode": "all"}, OP, True),
    ("POST", "runs/{run}/rerun/preview/", {"mode": "all"}, OP, True),
    ("POST", "runs/bulk/", {"verb": "pause", "filter": {"workflow": "none"}}, OP, False),
    ("GET", "dead-letters/", None, V, False),
    ("POST", "dead-letters/bulk/", {"verb": "retry", "filter": {"workflow": "none"}}, OP, False),
    ("POST", "dead-letters/{letter}/retry/", None, OP, True),
    ("POST", "dead-letters/{letter}/discard/", None, OP, True),
    ("GET", "runs/{run}/await/?timeout=0", None, V, True),
    ("GET", "runs/{run}/nodes/", None, V, True),
    ("GET", "runs/{run}/nodes/fetch/", None, V, True),
    ("POST", "runs/{run}/nodes/fetch/skip/", None, OP, True),
    ("GET", "runs/{run}/events/", None, V, True),
    ("GET", "runs/{run}/logs/", None, V, True),
    ("GET", "runs/{run}/nodes/fetch/logs/", None, V, True),
    ("GET", "runs/{run}/nodes/fetch/why/", None, V, True),
    ("GET", "cluster/", None, OP, False),
    ("GET", "stream/", None, V, False),
    ("GET", "runs/{run}/stream/", None, V, True),
    ("GET", "ws/", None, V, False),
    ("GET", "runs/{run}/ws/", None, V, True),
    ("GET", "runs/{run}/graph/", None, V, True),
    ("GET", "runs/{run}/artifacts/", None, V, True),
    ("GET", "runs/{run}/artifacts/{artifact}/", None, V, True),
    ("GET", "runs/{run}/artifacts/{artifact}/content/", None, V, True),
    ("DELETE", "runs/{run}/artifacts/{artifact}/", None, OP, True),
]
IDS = [f"{method} {address}" for method, address, *_ in TABLE]
#: Calls of the engine's own connection, which does not see a test's transaction.
ENGINE_VERBS = (
    "{run}/cancel/",
    "{run}/pause/",
    "{run}/resume/",
    "nodes/fetch/skip/",
    "{letter}/retry/",
    "{letter}/discard/",
)
#: No role is enough for these; test_workspaces.py has who may.
SUPERUSERS = {"POST workspaces/", "DELETE workspaces/default/"}
PUBLIC = {"schema", "docs", "nowhere"}
ORDER = [V, OP, A, Role.APPROVER, ADMIN]


@pytest.fixture(scope="module")
def _world(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """Something of everything, in a transaction around all tests of a module: each rolls back
    to it what it does in its own."""
    root = {"ARTIFACT_ROOT": str(tmp_path_factory.mktemp("artifacts"))}
    with django_db_blocker.unblock(), override_settings(CELESTA=root), transaction.atomic():
        yield _filled(workspaces.default())
        transaction.set_rollback(True)


@pytest.fixture
def known(_world: dict[str, Any], db: None) -> dict[str, Any]:
    """Ids to put into the addresses."""
    return _world


def _filled(workspace: Workspace) -> dict[str, Any]:
    """Make something of everything; returns the ids."""
    api = client_of(ADMIN, workspace)
    publish(api)
    Variable.objects.create(workspace=workspace, name="url", value="http://shop")
    for name in ("mia", "eve"):
        get_user_model().objects.create_user(name)
    mia = get_user_model().objects.get(username="mia")
    Membership.objects.create(workspace=workspace, user=mia, role=V)
    made = api.post("workflows/orders.fulfil/runs/", {"params": {"order_id": 1}})
    assert made.status_code == 201, made.content
    run = made.json()["id"]
    token = api.post("tokens/", {"name": "spare"}).json()["id"]
    schedule = api.post("schedules/", {**NIGHTLY, "name": "hourly", "every": 3600, "cron": ""})
    assert schedule.status_code == 201, schedule.content
    backfill = api.post("backfills/", YESTERDAY)
    assert backfill.status_code == 201, backfill.content
    ref = store.save(run, 0, 0, "fetch", 1, workspace.pk, "a.txt", b"a")
    row = Run.objects.get(pk=run)
    letter = DeadLetter.objects.create(
        run=row, workspace=workspace, workflow=row.workflow, node=0, name="fetch", attempt=1,
        at=row.created_at,
    )  # fmt: skip
    return {
        "run": run,
        "letter": letter.pk,
        "token": token,
        "artifact": ref["artifact"],
        "schedule": schedule.json()["id"],
        "backfill": backfill.json()["id"],
    }


def endpoints(patterns: list[Any]) -> Iterator[tuple[str | None, str]]:
    """Name and method of every endpoint in the URLconf."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name not in PUBLIC:
            view: type[BaseView] = pattern.callback.cls  # type: ignore[attr-defined]
            for method in ("get", "post", "put", "patch", "delete"):
                if hasattr(view, method):
                    yield pattern.name, method.upper()


def test_the_table_has_every_endpoint(known: Any) -> None:
    from django.urls import resolve

    told = set()
    for method, address, *_ in TABLE:
        path = f"/api/v1/{address}".format(**known).split("?")[0]
        told.add((resolve(path).url_name, method))

    # the detail of a workflow is reached under the name "validate" as well
    doubled = {(name, "GET") for name in ("validate", "import")}
    doubled |= {(name, "PUT") for name in ("validate", "import", "export")}
    assert set(endpoints(urlpatterns)) - doubled == told


@pytest.mark.parametrize(("method", "address", "body", "lowest", "hidden"), TABLE, ids=IDS)
def test_nobody_gets_401(
    known: Any, method: str, address: str, body: Any, lowest: Role, hidden: bool
) -> None:
    for token in (None, "celesta_wrong", "another-kind-of-token"):
        response = Api(token).call(method, address.format(**known), body)
        problem_of(response, 401, "not_authenticated" if token is None else "invalid_token")
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "address", "body", "lowest", "hidden"), TABLE, ids=IDS)
def test_a_caller_of_another_workspace_sees_nothing(
    known: Any, caller: Callable[..., Api], other_workspace: Workspace, method: str, address: str,
    body: Any, lowest: Role, hidden: bool,
) -> None:  # fmt: skip
    stranger = caller(ADMIN, other_workspace)

    if hidden:
        response = stranger.call(method, address.format(**known), body)
        problem_of(response, 404, response.json()["code"])
    # and asking for the workspace by name does not help
    asked = stranger.call(method, address.format(**known), body, X_Celesta_Workspace="default")
    problem_of(asked, 404, asked.json()["code"])


@pytest.mark.parametrize(("method", "address", "body", "lowest", "hidden"), TABLE, ids=IDS)
def test_the_lowest_role_is_enough_and_a_lower_one_is_not(
    known: Any, caller: Callable[..., Api], method: str, address: str, body: Any, lowest: Role,
    hidden: bool, django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    if lowest is not V:
        below = ORDER[ORDER.index(lowest) - 1]
        response = caller(below).call(method, address.format(**known), body)
        problem = problem_of(response, 403, "role_too_low")
        assert f"'{lowest.value}'" in problem["detail"]
    if f"{method} {address}" in SUPERUSERS:
        problem_of(caller(lowest).call(method, address, body), 403, "superusers_only")
    elif not address.endswith(ENGINE_VERBS):
        response = caller(lowest).call(method, address.format(**known), body)
        if address.split("/")[-2] == "ws":
            problem_of(response, 426, "upgrade_required")
        else:
            assert response.status_code < 300, response.content


def test_lists_hold_only_what_is_of_the_workspace(
    known: Any, caller: Callable[..., Api], other_workspace: Workspace
) -> None:
    stranger = caller(ADMIN, other_workspace)

    for address in ("workflows/", "runs/", "variables/"):
        assert stranger.get(address).json()["results"] == []
    names = [row["name"] for row in stranger.get("tokens/").json()["results"]]
    assert names == ["test"]
    assert stranger.get("me/").json()["workspaces"] == [
        {"slug": "other", "name": "Other", "role": "admin"}
    ]
