"""Schedules over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django_celery_beat.models import PeriodicTask

from celesta.access import tokens
from celesta.access.models import Membership, Role
from celesta.triggers import backfilling, schedules
from celesta.triggers.models import Backfill, Schedule
from celesta.workflows.models import WorkflowVersion

NIGHTLY = {
    "name": "nightly", "workflow": "reports.daily", "cron": "30 2 * * *",
    "timezone": "Europe/Berlin", "params": {"day": "mon"},
}  # fmt: skip


#: It can be read, and yet there is no such day.
NEVER = "0 0 29 2 mon#1"
DAILY = {"workflow": "reports.daily"}


@pytest.fixture
def call(version: WorkflowVersion) -> Callable[..., Any]:
    workspace = version.workflow.workspace
    user = get_user_model().objects.create(username="operator")
    Membership.objects.create(workspace=workspace, user=user, role=Role.OPERATOR)
    _, secret = tokens.issue(user, workspace, Role.OPERATOR, "test")
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def send(method: str, path: str, body: Any = None) -> Any:
        options = {} if body is None else {"data": body}
        return getattr(client, method)(
            f"/api/v1/schedules/{path}".replace("schedules/../", ""),
            content_type="application/json",
            **options,
        )

    return send


def test_make_read_change_delete(call: Callable[..., Any]) -> None:
    made = call("post", "", NIGHTLY)
    assert made.status_code == 201, made.content
    body = made.json()
    assert {key: body[key] for key in NIGHTLY} == NIGHTLY
    assert body["enabled"]
    assert body["next_at"].endswith("Z")
    assert PeriodicTask.objects.filter(name="celesta: 30 2 * * *@Europe/Berlin").exists()
    path = f"{body['id']}/"
    assert call("get", path).json() == body
    changed = call("put", path, {**NIGHTLY, "cron": "", "every": 60, "catch_up": "all"})
    assert changed.status_code == 200
    assert (changed.json()["every"], changed.json()["cron"]) == (60, "")
    assert [row["id"] for row in call("get", "").json()["results"]] == [body["id"]]
    assert call("delete", path).status_code == 204
    assert call("get", path).status_code == 404
    assert not PeriodicTask.objects.filter(task="celesta.tick").exists()


def test_all_problems_come_at_once_with_code_and_path(call: Callable[..., Any]) -> None:
    answer = call("post", "", {**NIGHTLY, "cron": "61 * * * *", "timezone": "x", "params": {}})
    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "invalid_schedule"
    assert {(e["code"], e["path"]) for e in body["errors"]} == {
        ("invalid_cron", "cron"), ("unknown_zone", "timezone"), ("missing_param", "params.day"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"workflow": "unknown"}, 400, "invalid_schedule"),
        ({"every": "60", "cron": ""}, 400, "invalid_input"),
        ({"every": 2**40, "cron": ""}, 400, "invalid_input"),
        ({"cron": "x" * 101}, 400, "invalid_input"),
        ({"cron": NEVER}, 400, "invalid_schedule"),
        ({"catch_up": "perhaps"}, 400, "invalid_input"),
        ({"overlap": "perhaps"}, 400, "invalid_input"),
        ({"jitter": -1}, 400, "invalid_input"),
        ({"queue_limit": 0}, 400, "invalid_input"),
        ({"catch_up_limit": "all"}, 400, "invalid_input"),
        ({"at": "tomorrow"}, 400, "invalid_input"),
        ({"at": "2030-01-01T00:00:00Z"}, 400, "invalid_schedule"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, 400, "invalid_schedule"),
        ({"starts_at": "2031-01-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"},
         400, "invalid_schedule"),
        ({"params": {"day": "{{ slot.moon }}"}}, 400, "invalid_schedule"),
        ({"colour": "red"}, 400, "invalid_input"),
        ({"params": []}, 400, "invalid_input"),
        ({"name": ""}, 400, "invalid_input"),
    ],
)  # fmt: skip
def test_bad_input(call: Callable[..., Any], wrong: Any, status: int, code: str) -> None:
    answer = call("post", "", {**NIGHTLY, **wrong})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not Schedule.objects.exists()


def test_a_timing_that_never_happens_has_no_preview(call: Callable[..., Any]) -> None:
    answer = call("post", "preview/", {"cron": NEVER})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_schedule")
    assert "never happens" in answer.json()["errors"][0]["message"]


def test_a_name_is_used_once(call: Callable[..., Any]) -> None:
    call("post", "", NIGHTLY)
    answer = call("post", "", NIGHTLY)
    assert (answer.status_code, answer.json()["code"]) == (409, "schedule_name_taken")


def test_looking_ahead(call: Callable[..., Any]) -> None:
    pk = call("post", "", NIGHTLY).json()["id"]
    following = call("get", f"{pk}/next/?count=3").json()["slots"]
    assert len(following) == 3
    assert following[0] == call("get", f"{pk}/").json()["next_at"]
    preview = call("post", "preview/?count=2", {"cron": "@daily"}).json()["slots"]
    assert [slot[11:] for slot in preview] == ["00:00:00Z", "00:00:00Z"]
    wrong = call("post", "preview/", {"cron": "@daily", "every": 5})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_schedule")
    for count in ("0", "101", "000000100999", "9" * 5000):
        assert call("get", f"{pk}/next/?count={count}").json()["code"] == "invalid_query"


def test_what_became_of_the_slots(call: Callable[..., Any]) -> None:
    pk = call("post", "", NIGHTLY).json()["id"]
    schedule = Schedule.objects.get(pk=pk)
    assert schedule.next_at is not None
    schedules.tick(schedule_id=pk, now=schedule.next_at)
    (slot,) = call("get", f"{pk}/slots/").json()["results"]
    assert slot["run"]
    assert slot["slot"] == schedule.next_at.isoformat().replace("+00:00", "Z")


def test_every_field_is_kept_and_shown(call: Callable[..., Any]) -> None:
    fields = {
        "every": 3600, "cron": "", "anchor": "2026-01-01T00:20:00Z",
        "starts_at": "2030-01-01T00:00:00Z", "ends_at": "2031-01-01T00:00:00Z", "jitter": 60,
        "overlap": "queue", "queue_limit": 3, "catch_up": "all", "catch_up_limit": 7,
        "params": {"day": "{{ slot.date }}"},
    }  # fmt: skip
    made = call("post", "", {**NIGHTLY, **fields})
    assert made.status_code == 201, made.content
    body = made.json()
    assert {key: body[key] for key in fields} == fields
    assert call("get", f"{body['id']}/next/?count=1").json()["slots"] == ["2030-01-01T00:20:00Z"]
    once = {**NIGHTLY, "name": "once", "cron": "", "at": "2030-05-05T05:05:05Z"}
    assert call("post", "", once).json()["next_at"] == "2030-05-05T05:05:05Z"


def test_pause_resume_and_run_now(call: Callable[..., Any]) -> None:
    pk = call("post", "", NIGHTLY).json()["id"]
    paused = call("post", f"{pk}/pause/").json()
    assert (paused["paused"], paused["workflow_paused"], paused["next_at"]) == (True, False, None)
    assert call("get", f"{pk}/next/").json()["slots"] == []
    made = call("post", f"{pk}/run/")
    assert (made.status_code, made.json()["origin"]) == (201, "manual")
    assert call("get", f"{pk}/slots/").json()["results"] == [made.json()]
    run = call("get", f"../runs/{made.json()['run']}/").json()
    assert (run["slot"], run["trigger"]) == (made.json()["slot"], "manual")
    assert not call("post", f"{pk}/resume/").json()["paused"]


def test_a_preview_keeps_to_the_bounds(call: Callable[..., Any]) -> None:
    bounds = {"starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z"}
    shown = call("post", "preview/?count=9", {"cron": "@daily", **bounds}).json()["slots"]
    assert shown == ["2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z"]


def test_backfills(call: Callable[..., Any]) -> None:
    pk = call("post", "", NIGHTLY).json()["id"]
    body = {
        "schedule": pk, "begin": "2026-01-01T00:00:00Z", "until": "2026-01-10T00:00:00Z",
        "max_active": 4, "params": {"day": "{{ slot.date }}"},
    }  # fmt: skip
    shown = call("post", "../backfills/?preview=true", body)
    assert (shown.status_code, shown.json()["count"]) == (200, 9)
    assert call("get", "../backfills/").json()["results"] == []
    made = call("post", "../backfills/", body)
    assert made.status_code == 201, made.content
    path = f"../backfills/{made.json()['id']}/"
    assert backfilling.advance_all(1.0) == 4
    now = call("get", path).json()
    assert (now["state"], now["total"], now["started"], now["left"]) == ("running", 9, 4, 5)
    slots = call("get", f"{path}slots/?limit=5").json()
    assert [row["state"] for row in slots["results"]] == ["started"] * 4 + [""]
    assert slots["next"]
    run = call("get", f"../runs/{slots['results'][0]['run']}/").json()
    assert run["params"] == {"day": "2026-01-01"}
    assert (run["slot"], run["slot_from"]) == ("2026-01-01T01:30:00Z", "2025-12-31T01:30:00Z")
    assert call("get", f"../backfills/?schedule={pk}").json()["results"][0]["id"] == now["id"]
    assert call("get", "../backfills/?schedule=999").json()["results"] == []
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert call("post", f"{path}{verb}/").json()["state"] == state
    again = call("post", f"{path}resume/")
    assert (again.status_code, again.json()["code"]) == (409, "backfill_ended")


@pytest.mark.parametrize(
    ("wrong", "code", "path"),
    [
        ({"schedule": 999}, "invalid_backfill", "schedule"),
        ({"workflow": "reports.daily"}, "invalid_backfill", "schedule"),
        ({"cron": "@daily"}, "invalid_backfill", "cron"),
        ({"until": "2999-01-01T00:00:00Z"}, "invalid_backfill", "until"),
        (
            {"schedule": None, **DAILY, "cron": NEVER},
            "invalid_backfill",
            "cron",
        ),
        ({"max_slots": 3}, "invalid_backfill", "max_slots"),
        ({"max_active": 0}, "invalid_input", "max_active"),
        ({"begin": "soon"}, "invalid_input", "begin"),
        ({"colour": "red"}, "invalid_input", "colour"),
    ],
)
def test_a_backfill_that_is_refused_says_where(
    call: Callable[..., Any], wrong: Any, code: str, path: str
) -> None:
    pk = call("post", "", NIGHTLY).json()["id"]
    body = {"schedule": pk, "begin": "2026-01-01T00:00:00Z", "until": "2026-01-10T00:00:00Z"}
    answer = call("post", "../backfills/", {**body, **wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content
    assert answer.json()["errors"][0]["path"] == path
    assert not Backfill.objects.exists()
