"""Dry runs: what would happen, told without anything happening."""

from typing import Any

from celesta.runs.models import Run
from celesta.vault.models import Variable
from celesta.workflows.activation import set_active
from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.api.conftest import Api, problem_of

FLOW = """\
workflow: orders.flow
params:
  type: object
  required: [total]
  properties:
    total: {type: integer}
    lines: {type: array, default: [1, 2, 3]}
nodes:
  size:
    type: branch
    with: {cases: {large: "{{ params.total > 1000 }}"}, default: small}
  ask: {type: wait, needs: [size.large], with: {for: 5m}}
  fast: {type: transform, needs: [size.small], queue: quick, with: {output: "{{ 100 / params.total }}"}}
  join: {type: transform, needs: [ask, fast], join: none_failed, with: {output: done}}
  lines:
    type: map
    needs: [join]
    with: {over: "{{ params.lines }}", do: {type: transform, with: {output: "{{ item }}"}}}
  fetch: {type: http, needs: [join], with: {method: GET, url: "{{ vars.shop }}/{{ params.total }}"}}
  mail: {type: transform, needs: [fetch], when: "{{ nodes.fetch.output.status == 200 }}", with: {output: 1}}
  after: {type: transform, needs: [mail], with: {output: 1}}
  alarm: {type: transform, needs: [fetch], join: any_failed, with: {output: 1}}
  undo: {type: transform, compensates: fetch, with: {output: 1}}
output: "{{ nodes.join.output }}"
"""  # noqa: E501 - a document
ADDRESS = "workflows/orders.flow/dry-run/"


def fates(told: dict[str, Any]) -> dict[str, str]:
    return {node["name"]: node["fate"] for node in told["nodes"]}


def ready(api: Api) -> None:
    assert api.post("variables/", {"name": "shop", "value": "https://shop"}).status_code == 201
    made = api.post("workflows/", FLOW)
    assert made.status_code == 201, made.content


def test_the_nodes_that_run_in_which_wave_and_on_which_queue(api: Api) -> None:
    ready(api)
    before = WorkflowVersion.objects.count(), Variable.objects.count()

    answer = api.post(ADDRESS, {"params": {"total": 50}})

    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["params"] == {"total": 50, "lines": [1, 2, 3]}
    assert fates(told) == {
        "size": "runs", "ask": "skipped", "fast": "runs", "join": "runs", "lines": "runs",
        "lines.do": "runs", "fetch": "runs", "mail": "depends", "after": "depends",
        "alarm": "skipped", "undo": "undo", "end": "runs",
    }  # fmt: skip
    assert told["waves"][:3] == [["size"], ["fast"], ["join"]]
    assert sorted(told["waves"][3]) == ["fetch", "lines", "lines.do"]
    assert told["waves"][4:6] == [["mail"], ["after"]]
    nodes = {node["name"]: node for node in told["nodes"]}
    assert (nodes["fast"]["queue"], nodes["fast"]["output"]) == ("quick", 2.0)
    assert nodes["lines"]["items"] == 3
    assert nodes["fetch"]["config"]["url"] == "https://shop/50"
    assert nodes["fetch"]["known"] is False
    assert "'fetch'" in nodes["mail"]["reason"]
    assert "'mail'" in nodes["after"]["reason"]
    assert (nodes["end"]["known"], nodes["end"]["output"]) == (True, "done")
    # Nothing was written.
    assert not Run.objects.exists()
    assert (WorkflowVersion.objects.count(), Variable.objects.count()) == before


def test_other_params_take_another_way(api: Api) -> None:
    ready(api)
    told = api.post(ADDRESS, {"params": {"total": 5000, "lines": []}}).json()

    found = fates(told)
    assert (found["ask"], found["fast"], found["lines.do"]) == ("runs", "skipped", "skipped")
    assert told["waves"][1] == ["ask"]


def test_a_node_that_would_fail_says_why_and_fails_what_needs_it(api: Api) -> None:
    ready(api)
    told = api.post(ADDRESS, {"params": {"total": 0}}).json()

    nodes = {node["name"]: node for node in told["nodes"]}
    assert (nodes["fast"]["fate"], nodes["fast"]["code"]) == ("fails", "expression_failed")
    assert (nodes["join"]["fate"], nodes["join"]["wave"]) == ("fails", None)
    assert nodes["join"]["reason"] == "'fast' fails"


def test_params_that_do_not_fit_are_refused_as_by_a_start(api: Api) -> None:
    ready(api)
    told = problem_of(api.post(ADDRESS, {"params": {"total": "x"}}), 400, "invalid_params")
    assert told["errors"][0]["path"] == "params.total"
    problem_of(api.post(ADDRESS, {"params": {"total": 1}, "version": 7}), 404, "not_found")
    problem_of(api.post(ADDRESS, {"parms": {}}), 400, "invalid_input")


def test_a_document_is_run_dry_before_it_is_published(api: Api) -> None:
    api.post("variables/", {"name": "shop", "value": "https://shop"})
    told = api.post("dry-run/", {"source": FLOW, "params": {"total": 50}})
    assert told.status_code == 200, told.content
    assert told.json()["waves"][0] == ["size"]
    assert not Workflow.objects.exists()

    broken = {"source": FLOW.replace("[join]", "[jion]"), "params": {"total": 50}}
    problem_of(api.post("dry-run/", broken), 400, "invalid_document")


def test_what_a_start_would_refuse_besides_is_a_warning(api: Api) -> None:
    ready(api)
    set_active(Workflow.objects.get(), active=False)
    told = api.post(ADDRESS, {"params": {"total": 1}}).json()
    assert [one["code"] for one in told["warnings"]] == ["workflow_inactive"]


def test_a_workflow_without_a_version_has_no_dry_run(api: Api) -> None:
    api.put("workflows/orders.flow/draft/", FLOW)
    problem_of(api.post(ADDRESS, {}), 409, "not_published")


def test_a_config_has_the_names_that_its_author_wrote(api: Api) -> None:
    source = """\
workflow: x
nodes:
  later: {type: wait, with: {for: 5m}}
  send: {type: http, needs: [later], with: {method: POST, url: "https://shop", json: {a: 1}}}
"""
    told = api.post("dry-run/", {"source": source}).json()
    configs = {node["name"]: node["config"] for node in told["nodes"]}
    assert configs["later"] == {"for": 300.0}
    assert configs["send"]["json"] == {"a": 1}
