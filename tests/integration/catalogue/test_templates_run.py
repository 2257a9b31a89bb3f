"""D11: every template publishes without a word, and runs to its end on a real worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from celesta.access.principals import SYSTEM
from celesta.access.workspaces import default
from celesta.artifacts.models import Artifact
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs.models import Output, Run
from celesta.workflows import catalogue, publishing
from tests.integration.catalogue import town as towns
from tests.integration.catalogue.cases import CASES
from tests.integration.catalogue.town import Town

PATIENCE = 90.0

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town() -> Iterator[Town]:
    with towns.running() as made:
        yield made


@pytest.fixture
def shop(worker_process: Callable[..., Any], settings: Settings, tmp_path: Path) -> Path:
    """A worker whose shop keeps its records in a folder of the test."""
    place, artifacts = tmp_path / "shop", str(tmp_path / "artifacts")
    settings.CELESTA = {**settings.CELESTA, "ARTIFACT_ROOT": artifacts}
    env = {"CELESTA_EXAMPLE_SHOP": str(place), "ARTIFACT_ROOT": artifacts}
    worker_process(concurrency=2, env=env)
    return place


def test_there_is_a_case_for_every_template() -> None:
    assert {case.template for case in CASES} == set(catalogue.everything())


def test_every_template_publishes_without_a_word_and_runs_to_its_end(
    town: Town, shop: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "to_save"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name)
    places = {"@folder": str(folder), "@packs": str(tmp_path / "packs")}
    versions = {}
    for template in catalogue.everything().values():
        made = publishing.publish_document(default(), template.source, by=None)
        assert made.compiled.problems == [], template.name
        versions[template.name] = made.version

    def placed(value: Any) -> Any:
        return _placed(value, town.url, places)

    runs = [
        start_run(versions[case.template], placed(case.params), principal=SYSTEM).run
        for case in CASES
    ]

    wrong = []
    for case, started in zip(CASES, runs, strict=True):
        ended = await_run(started.pk, {"succeeded", "failed"}, PATIENCE)
        if ended.state != case.state or (
            case.state == "succeeded" and not _fits(ended.output, placed(case.output))
        ):
            wrong.append((case.template, case.params, ended.state, ended.output, _errors(ended)))
    assert wrong == []
    made_calls = {(method, path) for method, path, _ in town.calls}
    assert [call for case in CASES for call in case.calls if call not in made_calls] == []
    _what_they_left_behind(town, shop)


def _what_they_left_behind(town: Town, shop: Path) -> None:
    """Effects that no output tells."""
    assert len(town.bodies("POST", "/load")) == 1
    assert len(town.bodies("POST", "/load")[0]["rows"]) == 6
    assert town.bodies("POST", "/never") == []  # a ledger was off: nothing is locked
    assert {body["share"] for body in town.bodies("POST", "/fleet/deploy")} == {10, 100}
    assert {body["share"] for body in town.bodies("POST", "/bad_fleet/deploy")} == {10}
    withdrawn = town.bodies("POST", "/keys/keys/new/withdraw")
    assert [body["use"] for body in withdrawn] == ["kept"]
    # The order of a kettle was charged and given back; that of tea and a cup stands.
    assert sorted(path.name.partition("-")[0] for path in shop.iterdir()) == [
        "charged", "reserved", "reserved",
    ]  # fmt: skip
    assert Artifact.objects.get().name == "model.json"


def _placed(value: Any, url: str, places: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _placed(child, url, places) for key, child in value.items()}
    if isinstance(value, list):
        return [_placed(child, url, places) for child in value]
    if isinstance(value, str) and value in places:
        return places[value]
    if isinstance(value, str) and value.startswith("@/"):
        return url + value.removeprefix("@")
    return value


def _fits(output: Any, expected: Any) -> bool:
    """Equal, where an Ellipsis takes anything that is there."""
    if isinstance(expected, dict) and isinstance(output, dict):
        return expected.keys() == output.keys() and all(
            _fits(output[key], value) for key, value in expected.items()
        )
    return (output is not None) if expected is ... else bool(output == expected)


def _errors(run: Run) -> list[Any]:
    found = Output.objects.filter(run=run, error__isnull=False)
    return list(found.values_list("node", "error"))


def test_the_cases_name_what_must_succeed() -> None:
    succeeding = {case.template for case in CASES if case.state == "succeeded"}
    assert succeeding == set(catalogue.everything())
    assert all(case.output is not None for case in CASES if case.state == "succeeded")
