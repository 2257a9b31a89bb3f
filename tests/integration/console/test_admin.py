"""Schedules, variables, tokens and workspaces in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from celesta.access.errors import TokenExpired
from celesta.access.models import Membership, Role, Token, Workspace
from celesta.access.tokens import authenticate
from celesta.console.admin import members
from celesta.triggers import schedules
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.vault.models import Variable
from celesta.workflows.models import WorkflowVersion

ADD_SCHEDULE = reverse("admin:celesta_triggers_schedule_add")
ADD_TOKEN = reverse("admin:celesta_access_token_add")
ADD_VARIABLE = reverse("admin:celesta_vault_variable_add")


def test_signing_in_leads_to_no_other_site_and_to_a_page_that_exists(
    client: Client, django_user_model: Any
) -> None:
    django_user_model.objects.create_superuser("ann", "ann@example.com", "pw")
    form = {"username": "ann", "password": "pw"}
    answer = client.post("/admin/login/?next=//evil.example/", form, follow=True)
    assert (answer.status_code, answer.redirect_chain[0]) == (200, ("/", 302))


@pytest.fixture
def entered(version: WorkflowVersion) -> dict[str, Any]:
    return {
        "name": "nightly",
        "workflow": version.workflow_id,
        "cron": "30 2 * * *",
        "every": "",
        "timezone": "Europe/Berlin",
        "anchor_0": "",
        "anchor_1": "",
        "params": '{"order_id": 1}',
        "catch_up": "last",
        "enabled": "on",
    }


def errors(answer: Any) -> dict[str, list[str]]:
    form: Any = answer.context["adminform"].form
    return dict(form.errors)


def test_a_schedule_is_made_changed_and_deleted_with_beats_row(
    client_of: Callable[[str], Client], entered: dict[str, Any]
) -> None:
    client = client_of("operator")
    assert client.post(ADD_SCHEDULE, entered).status_code == 302
    schedule = Schedule.objects.get()
    assert schedule.workspace == schedule.workflow.workspace
    assert schedule.next_at is not None
    task = PeriodicTask.objects.get(task="celesta.tick")
    assert task.name == "celesta: 30 2 * * *@Europe/Berlin"
    page = client.get(reverse("admin:celesta_triggers_schedule_change", args=[schedule.pk]))
    assert page.content.decode().count(" 02:30:00 ") == 10
    change = reverse("admin:celesta_triggers_schedule_change", args=[schedule.pk])
    changed = {**entered, "cron": "", "every": "300", "enabled": ""}
    assert client.post(change, changed).status_code == 302
    task = PeriodicTask.objects.get(task="celesta.tick")
    assert (task.name, task.enabled) == ("celesta: every 300", False)
    assert "none while it is off" in client.get(change).content.decode()
    listed = client.get(reverse("admin:celesta_triggers_schedule_changelist")).content.decode()
    assert "every 5m" in listed
    gone = reverse("admin:celesta_triggers_schedule_delete", args=[schedule.pk])
    client.post(gone, {"post": "yes"})
    assert not Schedule.objects.exists()
    assert not PeriodicTask.objects.filter(task="celesta.tick").exists()


@pytest.mark.parametrize(("zone", "in_utc"), [("Europe/Berlin", 10), ("UTC", 0)])
def test_the_form_says_what_is_to_come_and_offers_no_other_rows_to_change(
    client_of: Callable[[str], Client], entered: dict[str, Any], zone: str, in_utc: int
) -> None:
    client = client_of("superuser")
    client.post(ADD_SCHEDULE, {**entered, "timezone": zone})
    change = reverse("admin:celesta_triggers_schedule_change", args=[Schedule.objects.get().pk])
    page = client.get(change).content.decode()
    assert "none yet" in page  # no slot has passed
    assert page.count(" UTC)</small>") == in_utc  # said once where the zone is UTC itself
    assert "related-widget-wrapper-link" not in page
    for label in ("Every (seconds)", "Time zone", "Counted from", "Missed starts"):
        assert label in page


def test_deleting_many_takes_their_rows_of_beat_too(
    client_of: Callable[[str], Client], entered: dict[str, Any]
) -> None:
    client = client_of("operator")
    client.post(ADD_SCHEDULE, entered)
    client.post(ADD_SCHEDULE, {**entered, "name": "other", "cron": "@hourly"})
    form = {
        "action": "delete_selected",
        "_selected_action": list(Schedule.objects.values_list("pk", flat=True)),
        "post": "yes",
    }
    client.post(reverse("admin:celesta_triggers_schedule_changelist"), form)
    assert not Schedule.objects.exists()
    assert not PeriodicTask.objects.filter(task="celesta.tick").exists()


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"cron": "61 * * * *"}, "cron", "cannot be read"),
        ({"cron": ""}, "cron", "either"),
        ({"every": "60"}, "cron", "either"),
        ({"timezone": "Mars/Base"}, "timezone", "no time zone"),
        ({"params": "{}"}, "params", "order_id"),
        ({"params": '{"order_id": 0}'}, "params", "params.order_id"),
        ({"params": "[]"}, "params", "object"),
        ({"params": "{"}, "params", "valid JSON"),
        ({"cron": "", "every": "0"}, "every", "cannot be an interval"),
    ],
)
def test_what_is_wrong_with_a_schedule_stands_at_its_field(
    wrong: dict[str, str],
    field: str,
    says: str,
    client_of: Callable[[str], Client],
    entered: dict[str, Any],
) -> None:
    answer = client_of("operator").post(ADD_SCHEDULE, {**entered, **wrong})
    assert answer.status_code == 200
    assert says in " ".join(errors(answer)[field])
    assert not Schedule.objects.exists()


def test_a_name_is_used_once(client_of: Callable[[str], Client], entered: dict[str, Any]) -> None:
    client = client_of("operator")
    client.post(ADD_SCHEDULE, entered)
    answer = client.post(ADD_SCHEDULE, entered)
    assert "name" in errors(answer)
    assert Schedule.objects.count() == 1


def test_the_last_slots_lead_to_their_runs(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    schedule = schedules.save(
        Schedule(
            workspace=version.workflow.workspace, workflow=version.workflow, name="fast", every=60,
            params={"order_id": 1},
        )
    )  # fmt: skip
    assert schedule.next_at is not None
    schedules.tick(schedule_id=schedule.pk, now=schedule.next_at)
    slot = ScheduleSlot.objects.get()
    page = client_of("viewer").get(
        reverse("admin:celesta_triggers_schedule_change", args=[schedule.pk])
    )
    assert reverse("celesta_console:run", args=[slot.run_id]) in page.content.decode()


def token_form(workspace: Workspace, role: str) -> dict[str, Any]:
    return {
        "name": "ci",
        "workspace": workspace.pk,
        "role": role,
        "expires_at_0": "",
        "expires_at_1": "",
    }


def test_the_secret_of_a_token_is_shown_once(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    client = client_of("admin")
    form = token_form(workspace, "operator")
    answer = client.post(ADD_TOKEN, form)
    assert "no-store" in answer.headers["Cache-Control"]
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    token, principal = authenticate(secret)
    assert (token.name, principal.roles) == ("ci", {workspace.pk: "operator"})
    for page in ("changelist", "change"):
        args = [token.pk] if page == "change" else []
        again = client.get(reverse(f"admin:celesta_access_token_{page}", args=args))
        assert again.status_code == 200
        assert secret not in again.content.decode()
        assert token.digest not in again.content.decode()
    assert secret not in str(dict(client.session))


def test_no_token_for_a_workspace_that_one_does_not_govern(
    client_of: Callable[[str], Client], elsewhere: Workspace, people: Any
) -> None:
    client = client_of("admin")
    Membership.objects.create(workspace=elsewhere, user=people.user("admin"), role=Role.AUTHOR)
    answer = client.post(ADD_TOKEN, token_form(elsewhere, "viewer"))
    assert "workspace" in errors(answer)
    assert not Token.objects.exists()


def test_tokens_are_seen_and_revoked_by_admins_only(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    client_of("admin").post(ADD_TOKEN, token_form(workspace, "viewer"))
    token = Token.objects.get()
    gone = reverse("admin:celesta_access_token_delete", args=[token.pk])
    listed = reverse("admin:celesta_access_token_changelist")
    assert client_of("author").get(listed).status_code == 403
    assert client_of("author").post(gone, {"post": "yes"}).status_code in (302, 403)
    assert Token.objects.exists()
    assert token.prefix in client_of("admin").get(listed).content.decode()
    client_of("admin").post(gone, {"post": "yes"})
    assert not Token.objects.exists()


def test_a_token_is_rotated_by_admins_and_its_secret_shown_once(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    client = client_of("admin")
    old = client.post(ADD_TOKEN, token_form(workspace, "operator")).context["secret"]
    before = Token.objects.get()
    rotate = reverse("admin:celesta_access_token_rotate", args=[before.pk])
    listed = client.get(reverse("admin:celesta_access_token_changelist")).content.decode()
    assert rotate in listed
    assert "hour" in client.get(rotate).content.decode()
    assert client.post(rotate, {"overlap": "12"}).status_code == 200  # not among the choices
    assert Token.objects.count() == 1
    answer = client.post(rotate, {"overlap": "3600"})
    assert "no-store" in answer.headers["Cache-Control"]
    made, principal = authenticate(answer.context["secret"])
    assert (made.name, principal.roles) == ("ci", {workspace.pk: "operator"})
    assert authenticate(old)[0].expires_at is not None  # for an hour more
    client.post(reverse("admin:celesta_access_token_rotate", args=[made.pk]), {"overlap": "0"})
    with pytest.raises(TokenExpired):
        authenticate(answer.context["secret"])


def test_the_page_of_a_token_tells_to_which_workflows_it_is_limited(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    client = client_of("admin")
    client.post(ADD_TOKEN, {**token_form(workspace, "operator"), "workflows": "orders.fulfil"})
    token = Token.objects.get()
    assert token.workflows == ["orders.fulfil"]
    page = client.get(reverse("admin:celesta_access_token_change", args=[token.pk]))
    assert "orders.fulfil" in page.content.decode()
    rotate = client.get(reverse("admin:celesta_access_token_rotate", args=[token.pk]))
    assert rotate.status_code == 200


def test_not_even_an_admin_rotates_the_token_of_a_colleague(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    secret = client_of("admin").post(ADD_TOKEN, token_form(workspace, "viewer")).context["secret"]
    token = Token.objects.get()
    rotate = reverse("admin:celesta_access_token_rotate", args=[token.pk])
    listed = reverse("admin:celesta_access_token_changelist")
    assert rotate in client_of("admin").get(listed).content.decode()

    client = client_of("superuser")
    assert rotate not in client.get(listed).content.decode()
    assert client.get(rotate).status_code == 403
    assert client.post(rotate, {"overlap": "0"}).status_code == 403
    assert list(Token.objects.all()) == [token]
    assert authenticate(secret)[0].expires_at is None

    client_of("admin").post(rotate, {"overlap": "3600"})
    again = client_of("admin").post(rotate, {"overlap": "0"})
    assert again.status_code == 409
    assert authenticate(secret)  # for the hour that was promised


@pytest.mark.parametrize("who", ["author", "stranger"])
def test_nobody_else_rotates_a_token(
    who: str, client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    client_of("admin").post(ADD_TOKEN, token_form(workspace, "viewer"))
    token = Token.objects.get()
    rotate = reverse("admin:celesta_access_token_rotate", args=[token.pk])
    assert client_of(who).get(rotate).status_code == 403
    assert client_of(who).post(rotate, {"overlap": "0"}).status_code == 403
    assert client_of("guest").get(rotate).status_code == 302
    assert list(Token.objects.all()) == [token]


def test_a_variable_is_made_and_changed_by_authors(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    client = client_of("author")
    form = {"workspace": workspace.pk, "name": "shop_url", "value": '"https://shop"'}
    assert client.post(ADD_VARIABLE, form).status_code == 302
    variable = Variable.objects.get()
    assert variable.value == "https://shop"
    listed = client.get(reverse("admin:celesta_vault_variable_changelist")).content.decode()
    assert "https://shop" in listed
    change = reverse("admin:celesta_vault_variable_change", args=[variable.pk])
    assert client_of("operator").post(change, form).status_code == 403


def test_admins_of_a_workspace_give_roles_in_it(
    client_of: Callable[[str], Client], workspace: Workspace, people: Any
) -> None:
    newcomer = people.user("newcomer")
    client_of("admin")
    member = Membership.objects.get(user__username="admin")
    form = {
        "name": "Default", "slug": "default",
        "memberships-TOTAL_FORMS": "2", "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": member.pk, "memberships-0-workspace": workspace.pk,
        "memberships-0-role": "admin", "memberships-1-workspace": workspace.pk,
        "memberships-1-user": "newcomer", "memberships-1-role": "viewer",
    }  # fmt: skip
    address = reverse("admin:celesta_access_workspace_change", args=[workspace.pk])
    assert client_of("author").post(address, form).status_code == 403
    wrong = client_of("admin").post(address, {**form, "memberships-1-user": "nobody"})
    assert "There is no user &#x27;nobody&#x27;" in wrong.content.decode()
    assert client_of("admin").post(address, form).status_code == 302
    assert Membership.objects.get(user=newcomer).role == Role.VIEWER
    assert client_of("author").get(address).status_code == 200
    assert client_of("stranger").get(address).status_code == 302


def test_many_members_have_a_list_of_their_own(
    client_of: Callable[[str], Client], workspace: Workspace, people: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(members, "SHOWN", 2)
    for name in ("ann", "ben", "cidney"):
        Membership.objects.create(workspace=workspace, user=people.user(name), role=Role.VIEWER)
    address = reverse("admin:celesta_access_workspace_change", args=[workspace.pk])
    listed = reverse("admin:celesta_access_membership_changelist")
    shown = client_of("admin").get(address).content.decode()
    assert "memberships-TOTAL_FORMS" not in shown
    assert ">4</a>" in shown
    assert f"{listed}?workspace__id__exact={workspace.pk}" in shown
    # The workspace itself is changed without its members
    form = {"name": "Head office", "slug": "default"}
    assert client_of("admin").post(address, form).status_code == 302
    assert Membership.objects.filter(workspace=workspace).count() == 4
    # and they are in their list, for those of the workspace
    assert "cidney" in client_of("admin").get(listed, {"q": "cid"}).content.decode()
    assert "cidney" not in client_of("stranger").get(listed).content.decode()


def test_admins_of_a_workspace_change_its_members_in_their_list(
    client_of: Callable[[str], Client], workspace: Workspace, people: Any
) -> None:
    add = reverse("admin:celesta_access_membership_add")
    people.user("dan")
    new = {"workspace": workspace.pk, "user": "dan", "role": "operator"}
    for other in ("author", "stranger"):
        assert client_of(other).post(add, new).status_code in (200, 403)
    assert not Membership.objects.filter(user__username="dan").exists()
    assert client_of("admin").post(add, new).status_code == 302
    dan = Membership.objects.get(user__username="dan")
    change = reverse("admin:celesta_access_membership_change", args=[dan.pk])
    assert client_of("author").post(change, {"role": "admin"}).status_code == 403
    assert client_of("stranger").post(change, {"role": "admin"}).status_code == 302
    dan.refresh_from_db()
    assert dan.role == Role.OPERATOR
    # Nobody becomes somebody else
    assert client_of("admin").post(change, {"role": "author", "user": "admin"}).status_code == 302
    dan.refresh_from_db()
    assert (dan.user.username, dan.role) == ("dan", Role.AUTHOR)
    assert "already exists" in client_of("admin").post(add, new).content.decode()


BAD_JSON = {
    "digits": "9" * 5000,
    "deep list": "[" * 100_000,
    "deep object": '{"a":' * 50_000,
    "surrogate": '"\\ud800"',
    "nul": '"\\u0000"',
    "nan": "[NaN]",
    "twice": '{"a": 1, "a": 2}',
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON)
def test_json_that_cannot_be_kept_is_refused_at_its_field(
    text: str, client_of: Callable[[str], Client], entered: dict[str, Any]
) -> None:
    client = client_of("author")
    workspace = Workspace.objects.get(workflows=entered["workflow"])

    variable = {"workspace": workspace.pk, "name": "x", "value": text}
    of_variable = client.post(ADD_VARIABLE, variable)
    of_schedule = client.post(ADD_SCHEDULE, {**entered, "params": text})

    for answer, field in ((of_variable, "value"), (of_schedule, "params")):
        assert answer.status_code == 200
        assert errors(answer).keys() == {field}
    assert not Variable.objects.exists()
    assert not Schedule.objects.exists()
