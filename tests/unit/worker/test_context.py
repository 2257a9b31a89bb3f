from __future__ import annotations

import logging

import pytest

from celesta_worker.context import ArtifactsUnavailable
from tests.contracts.nodes.harness import a_context


def test_log_records_say_which_run_and_node_they_come_from(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "celesta.node"):
        a_context(run_id="r7", node="pay", attempt=2).logger.info("sent %s", "it", extra={"a": 1})

    (record,) = caplog.records
    assert record.getMessage() == "[r7 pay] sent it"
    assert vars(record) | {"run_id": "r7", "node": "pay", "attempt": 2, "a": 1} == vars(record)


def test_without_a_store_saving_an_artifact_says_so() -> None:
    with pytest.raises(ArtifactsUnavailable, match="report"):
        a_context().artifacts.save("report.html", "<p>")
