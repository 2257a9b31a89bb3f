"""The start form: made from the params schema, errors at the fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from celesta.access.models import Workspace
from celesta.runs.models import Run
from celesta.workflows import publishing
from celesta.workflows.activation import set_active
from celesta.workflows.models import Workflow, WorkflowVersion

RICH = """\
workflow: rich.params
params:
  type: object
  required: [count, name, tags]
  additionalProperties: false
  properties:
    name: {type: string, title: Your name, minLength: 2, description: Who asks.}
    count: {type: integer, minimum: 1, maximum: 9}
    share: {type: number, default: 0.5}
    sure: {type: boolean}
    size: {enum: [small, 2, null], default: small}
    day: {type: string, format: date}
    at: {type: string, format: date-time, default: "2026-01-02T03:04:05Z"}
    tags: {type: array, items: {type: string}}
    deep: {type: object, properties: {a: {type: integer}}, default: {a: 1}}
    any: {}
    odd.name-with "quotes": {type: string}
nodes:
  a: {type: transform, with: {output: "{{ params.name }}"}}
"""
FILLED = {
    "param-name": "Ann",
    "param-count": "3",
    "param-share": "0.25",
    "param-sure": "true",
    "param-size": "1",
    "param-day": "2026-11-30",
    "param-at": "2026-01-02T03:04:05",
    "param-tags": '["a", "b"]',
    "param-deep": '{"a": 5}',
    "param-any": '{"x": [1]}',
    'param-odd.name-with "quotes"': "yes",
}
MINIMAL = {"param-name": "Ann", "param-count": "3", "param-tags": "[]"}


@pytest.fixture
def rich(workspace: Workspace) -> Workflow:
    return publishing.publish(workspace, RICH, by=None).workflow


@pytest.fixture
def submit(client_of: Callable[[str], Client], rich: Workflow) -> Callable[..., Any]:
    client = client_of("operator")
    address = reverse("celesta_console:start", args=[rich.pk])
    return lambda form: client.post(address, form)


def test_the_form_has_a_field_for_each_property_with_defaults(
    client_of: Callable[[str], Client], rich: Workflow
) -> None:
    answer = client_of("operator").get(reverse("celesta_console:start", args=[rich.pk]))
    form, page = answer.context["form"], answer.content.decode()
    names = [name.removeprefix("param-") for name in form.fields]
    assert names[:4] == ["name", "count", "share", "sure"]
    assert names[-1] == "idempotency_key"
    for text in (
        "Your name", "Who asks.", 'type="number"', 'min="1"', 'value="0.5"', 'type="date"',
        'type="datetime-local"', 'value="2026-01-02T03:04:05"', "&quot;a&quot;: 1",
    ):  # fmt: skip
        assert text in page
    assert form["param-size"].value() == "0"


def test_what_is_entered_arrives_typed(submit: Callable[..., Any]) -> None:
    answer = submit(FILLED)
    run = Run.objects.get()
    assert answer.headers["Location"] == reverse("celesta_console:run", args=[run.pk])
    assert run.params == {
        "name": "Ann",
        "count": 3,
        "share": 0.25,
        "sure": True,
        "size": 2,
        "day": "2026-11-30",
        "at": "2026-01-02T03:04:05+00:00",
        "tags": ["a", "b"],
        "deep": {"a": 5},
        "any": {"x": [1]},
        'odd.name-with "quotes"': "yes",
    }
    assert (run.trigger, run.created_by) == ("console", "operator")


def test_what_is_left_empty_takes_its_default_or_stays_out(submit: Callable[..., Any]) -> None:
    submit(MINIMAL)
    assert Run.objects.get().params == {
        "name": "Ann",
        "count": 3,
        "tags": [],
        "share": 0.5,
        "size": "small",
        "at": "2026-01-02T03:04:05Z",
        "deep": {"a": 1},
    }


@pytest.mark.parametrize(
    ("entered", "field", "says"),
    [
        ({"param-count": "10"}, "param-count", "10 is greater than the maximum of 9"),
        ({"param-count": "two"}, "param-count", "whole number"),
        ({"param-count": ""}, "param-count", "required"),
        ({"param-name": "A"}, "param-name", "too short"),
        ({"param-tags": "[1]"}, "param-tags", "[0]: 1 is not of type 'string'"),
        ({"param-tags": "[1,"}, "param-tags", "line 1 column"),
        ({"param-tags": "NaN"}, "param-tags", "no JSON"),
        ({"param-deep": '{"a": "x"}'}, "param-deep", "a: 'x' is not of type 'integer'"),
        ({"param-day": "30.11."}, "param-day", "valid date"),
        ({"param-size": "7"}, "param-size", "valid choice"),
        ({"param-name": "A\x00b"}, "param-name", "Null characters"),
        ({"idempotency_key": "k" * 256}, "idempotency_key", "at most 255"),
    ],
)
def test_errors_stand_at_their_field_and_nothing_starts(
    submit: Callable[..., Any], entered: dict[str, str], field: str, says: str
) -> None:
    answer = submit({**MINIMAL, **entered})
    assert answer.status_code == 400
    form = answer.context["form"]
    assert set(form.errors) == {field}
    assert says in " ".join(form.errors[field])
    assert form.data["param-name"] in answer.content.decode() or "\x00" in form.data["param-name"]
    assert not Run.objects.exists()


def test_one_key_one_run(submit: Callable[..., Any]) -> None:
    first = submit({**MINIMAL, "idempotency_key": "once"})
    second = submit({**MINIMAL, "idempotency_key": "once"})
    assert first.headers["Location"] == second.headers["Location"]
    other = submit({**MINIMAL, "param-count": "4", "idempotency_key": "once"})
    assert other.status_code == 400
    assert "idempotency_key" in other.context["form"].errors
    assert Run.objects.count() == 1


def test_a_workflow_without_params_takes_json(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    text = "workflow: free.form\nnodes: {a: {type: transform, with: {output: 1}}}\n"
    workflow = publishing.publish(workspace, text, by=None).workflow
    address = reverse("celesta_console:start", args=[workflow.pk])
    client = client_of("operator")
    wrong = client.post(address, {"other": "[1]"})
    assert "JSON object" in wrong.content.decode()
    client.post(address, {"other": '{"x": 1}'})
    assert Run.objects.get().params == {"x": 1}


def test_an_inactive_workflow_starts_nothing(
    client_of: Callable[[str], Client], rich: Workflow
) -> None:
    set_active(rich, active=False)
    client, address = client_of("operator"), reverse("celesta_console:start", args=[rich.pk])
    assert b"takes no runs now" in client.get(address).content
    answer = client.post(address, MINIMAL)
    assert answer.status_code == 409
    assert b"workflow_inactive" in answer.content
    assert not Run.objects.exists()


def test_an_unpublished_workflow_cannot_start(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    draft = Workflow.objects.create(workspace=workspace, name="only.draft", draft="x")
    answer = client_of("operator").get(reverse("celesta_console:start", args=[draft.pk]))
    assert answer.status_code == 409
    assert b"not_published" in answer.content


def test_a_run_stays_on_the_version_it_began_with(
    submit: Callable[..., Any], rich: Workflow
) -> None:
    submit(MINIMAL)
    before = WorkflowVersion.objects.get(workflow=rich)
    publishing.publish(rich.workspace, RICH.replace("params.name", "params.count"), by=None)
    assert Run.objects.get().version == before


ODD = """\
workflow: odd.params
params:
  type: object
  properties:
    sure: {type: boolean, default: [1]}
    size: {enum: [1, true, [1], {a: 1}], default: true}
    day: {type: string, format: date, default: nope}
    at: {type: string, format: date-time, default: "2026-99-99T00:00:00Z"}
    then: {type: string, format: date-time, default: 7}
    number: {type: number, default: {a: 1}, maximum: 1.0e+300}
    never: false
    always: true
nodes:
  a: {type: transform, with: {output: 1}}
"""


def test_a_default_need_not_fit_its_type(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    odd = publishing.publish(workspace, ODD, by=None).workflow
    address = reverse("celesta_console:start", args=[odd.pk])

    shown = client_of("operator").get(address)
    sent = client_of("operator").post(address, {})

    assert shown.status_code == 200
    assert shown.context["form"]["param-size"].value() == "1"  # true, which is not 1
    assert sent.status_code == 400
    assert not Run.objects.exists()


@pytest.mark.parametrize("value", ["[" * 100_000, '{"a":' * 50_000, '"\\ud800"', "9" * 5000])
def test_json_that_nobody_should_send(submit: Callable[..., Any], value: str) -> None:
    answer = submit({**MINIMAL, "param-any": value})

    assert answer.status_code == 400
    assert answer.context["form"].errors
    assert not Run.objects.exists()


def test_a_dry_run_shows_what_would_run_and_starts_nothing(submit: Callable[..., Any]) -> None:
    answer = submit({**MINIMAL, "dry-run": "1"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "What would run" in page
    assert 'value="Ann"' in page  # what was entered is still there, to be started with
    assert submit({"param-name": "Ann", "dry-run": "1"}).status_code == 400
    assert not Run.objects.exists()
