"""What belongs to a stream."""

from dataclasses import fields
from typing import Any

from celesta.api.streams.topics import Topic
from celesta.runs.tailing import News


def news(workflow: str) -> News:
    told: dict[str, Any] = dict.fromkeys((field.name for field in fields(News)), None)
    return News(**{**told, "workspace": 1, "workflow": workflow, "kind": "run_failed"})


def test_a_caller_limited_to_some_workflows_is_told_of_no_other() -> None:
    limited = Topic(workspace=1, within=frozenset({"orders.fulfil"}))

    assert limited.has(news("orders.fulfil"))
    assert not limited.has(news("orders.other"))
    assert Topic(workspace=1).has(news("orders.other"))
    asked = Topic(workspace=1, workflow="orders.other", within=frozenset({"orders.fulfil"}))
    assert not asked.has(news("orders.other"))
