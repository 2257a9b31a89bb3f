"""The graph of a run in its four forms."""

from datetime import UTC, datetime
from typing import Any

import pytest

from celesta.graph import render
from celesta.runs.models import Hint, NodeRun
from tests.integration.api.conftest import Api, problem_of


@pytest.fixture
def run(api: Api, published: Any) -> str:
    made = api.post("workflows/orders.fulfil/runs/", {"params": {"order_id": 1}})
    run_id: str = made.json()["id"]
    return run_id


def test_as_json_it_has_nodes_with_states_and_edges(api: Api, run: str) -> None:
    found = api.get(f"runs/{run}/graph/").json()

    assert [(n["name"], n["state"]) for n in found["nodes"]] == [
        ("fetch", "ready"),
        ("ship", "pending"),
    ]
    assert found["edges"] == [{"source": "fetch", "target": "ship", "rule": "all_success"}]
    assert api.get(f"runs/{run}/graph/?as=json").json() == found


def test_a_node_with_items_shows_what_matters_most(api: Api, run: str) -> None:
    now = datetime.now(UTC)
    for scope, state in ((1, "succeeded"), (2, "failed"), (3, "succeeded")):
        NodeRun.objects.create(run_id=run, scope=scope, node=0, state=state, finished_at=now)

    node = api.get(f"runs/{run}/graph/").json()["nodes"][0]

    assert node["state"] == "failed"
    assert node["counts"] == {"ready": 1, "succeeded": 2, "failed": 1}


def test_as_mermaid_and_dot_it_is_drawn_in_the_colours_of_its_states(api: Api, run: str) -> None:
    mermaid = api.get(f"runs/{run}/graph/?as=mermaid")
    dot = api.get(f"runs/{run}/graph/?as=dot", Accept="text/vnd.graphviz")

    assert mermaid.headers["Content-Type"].startswith("text/vnd.mermaid")
    assert mermaid.content.decode().startswith("flowchart")
    assert "class n0 ready" in mermaid.content.decode()
    assert dot.content.decode().startswith('digraph "orders.fulfil"')
    ready, _ = render.COLOURS["ready"]
    assert f'fillcolor="{ready}"' in dot.content.decode()


def test_as_canvas_it_says_how_each_node_travelled(api: Api, run: str) -> None:
    # Given a node that came by a chain and one that its worker went on with
    now = datetime.now(UTC)
    NodeRun.objects.filter(run_id=run, node=0).update(
        state="succeeded", via="chain", finished_at=now
    )
    NodeRun.objects.filter(run_id=run, node=1).update(state="running", via="continued")

    found = api.get(f"runs/{run}/graph/?as=canvas").json()

    assert found["via"] == {"chain": 1, "continued": 1}
    assert found["nodes"][0]["via"] == {"chain": 1}
    assert found["nodes"][1] == {
        "name": "ship", "queue": "default", "state": "running", "via": {"continued": 1},
    }  # fmt: skip
    # and the hint that the start sent is still travelling, for no worker has claimed it
    assert [h["node"] for h in found["travelling"]] == ["fetch"]
    assert found["travelling"][0]["sends"] == 1

    Hint.objects.filter(run_id=run).delete()
    assert api.get(f"runs/{run}/graph/?as=canvas").json()["travelling"] == []


def test_another_form_is_refused(api: Api, run: str) -> None:
    problem_of(api.get(f"runs/{run}/graph/?as=png"), 400, "invalid_query")
