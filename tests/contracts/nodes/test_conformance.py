"""What every node type must do, whatever it is for. A new type needs a sample here to pass."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any, get_args

import celery
import jsonschema
import pytest
import yaml
from pydantic import ValidationError

import celesta
from celesta.graph.node_types import Registry
from celesta.runs.outcomes import Outcome
from celesta_worker.nodes import NODE_TYPES, register_all
from celesta_worker.nodes.base import NodeTypeBase
from celesta_worker.nodes.checks import field_names
from tests.contracts.nodes.harness import codes, problems, run, types

PAGE = Path(__file__).parents[3] / "docs" / "node-types.md"

#: A config of each type as an author may write it, every field that needs no server filled in.
SAMPLES: dict[str, dict[str, Any]] = {
    "python": {"function": "tests.conformance.double", "args": {"number": 2}},
    "celery": {"task": "not.registered.here", "args": [1], "kwargs": {"a": 2}, "in_place": "auto"},
    "http": {"method": "GET", "url": "http://127.0.0.1:9/", "timeout": "2s", "expect": [200]},
    "transform": {"output": {"a": [1, 2]}},
    "branch": {"cases": {"small": True, "large": False}, "default": "normal"},
    "map": {"over": [1, 2], "max_parallel": 2, "tolerate": 1, "do": {"type": "transform"}},
    "wait": {"for": "5m"},
    "end": {"output": 1},
}
#: Fields whose value is checked before it is known to be a template, by type.
REQUIRED = {
    "python": {"function"},
    "celery": {"task"},
    "http": {"url"},
    "transform": {"output"},
    "branch": {"cases"},
    "map": {"over", "do"},
}


@celesta.node("tests.conformance.double")
def double(number: int) -> int:
    return number * 2


def each(node_type: type[NodeTypeBase[Any]]) -> str:
    return node_type.name


every_type = pytest.mark.parametrize("node_type", NODE_TYPES, ids=each)


def test_every_type_has_a_sample_and_a_name_of_its_own() -> None:
    assert sorted(SAMPLES) == sorted(node_type.name for node_type in NODE_TYPES)


def test_registering_twice_is_harmless_and_a_stolen_name_is_not() -> None:
    registry = Registry()
    register_all(registry)
    register_all(registry)
    assert len(registry) == len(NODE_TYPES)

    class Thief(types.get("wait").__class__):  # type: ignore[misc]
        pass

    with pytest.raises(ValueError, match="wait"):
        registry.register(Thief())


@every_type
def test_it_says_what_it_is(node_type: type[NodeTypeBase[Any]]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", node_type.name)
    assert node_type.title[0].isupper()
    assert re.fullmatch(r"[A-Z][^.]+\.", node_type.summary), "one sentence"


@every_type
def test_its_schema_is_a_form_a_person_can_fill_in(node_type: type[NodeTypeBase[Any]]) -> None:
    schema = node_type.Config.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    for name, field in schema.get("properties", {}).items():
        assert field.get("title"), name
        assert field.get("description", "").endswith("."), name


@every_type
def test_its_sample_fits_schema_model_and_check(node_type: type[NodeTypeBase[Any]]) -> None:
    sample = SAMPLES[node_type.name]
    jsonschema.validate(sample, node_type.Config.model_json_schema())
    node_type.Config.model_validate(sample)
    assert problems(node_type.name, sample) == []


@every_type
def test_check_reports_an_unknown_field_with_its_path(node_type: type[NodeTypeBase[Any]]) -> None:
    name = next(iter(SAMPLES[node_type.name]))
    misspelt = {**SAMPLES[node_type.name], f"{name}_": 1}

    (problem,) = problems(node_type.name, misspelt)

    assert (problem.code, problem.path) == ("unknown_field", f"nodes.it.with.{name}_")
    assert name in problem.hint


@every_type
def test_check_reports_every_missing_field(node_type: type[NodeTypeBase[Any]]) -> None:
    missing = {path for code, path in codes(node_type.name, {}) if code == "missing_field"}
    assert missing == {f"nodes.it.with.{name}" for name in REQUIRED.get(node_type.name, ())}


@every_type
def test_check_refuses_what_the_schema_refuses_unless_it_is_a_template(
    node_type: type[NodeTypeBase[Any]],
) -> None:
    schema = jsonschema.Draft202012Validator(node_type.Config.model_json_schema())
    sample = SAMPLES[node_type.name]
    for name in field_names(node_type.Config):
        where = f"nodes.it.with.{name}"
        for odd in ({"no": {"such": "thing"}}, [[1]], "no such thing"):
            if not schema.is_valid({**sample, name: odd}):
                assert codes(node_type.name, {**sample, name: odd}), (name, odd)
        template = {**sample, name: "{{ params.anything }}"}
        assert ("invalid_config", where) not in codes(node_type.name, template), name


@every_type
def test_names_that_are_checked_at_publish_cannot_be_templates(
    node_type: type[NodeTypeBase[Any]],
) -> None:
    for name in node_type.literal:
        config = {**SAMPLES[node_type.name], name: "{{ params.any }}"}
        assert ("template_not_allowed", f"nodes.it.with.{name}") in codes(node_type.name, config)


@every_type
def test_its_config_is_not_changed_by_anyone(node_type: type[NodeTypeBase[Any]]) -> None:
    sample = copy.deepcopy(SAMPLES[node_type.name])
    run(node_type.name, sample)
    assert sample == SAMPLES[node_type.name]
    config = node_type.Config.model_validate(sample)
    with pytest.raises(ValidationError):
        setattr(config, next(iter(node_type.Config.model_fields)), None)


@every_type
def test_running_its_sample_answers_an_outcome_that_can_be_stored(
    node_type: type[NodeTypeBase[Any]],
) -> None:
    finished = run(node_type.name, SAMPLES[node_type.name])

    assert isinstance(finished.outcome, get_args(Outcome))
    if finished.encoded is not None:
        json.loads(finished.encoded)


@every_type
def test_it_has_a_page_that_names_every_field(node_type: type[NodeTypeBase[Any]]) -> None:
    page = PAGE.read_text()
    _, found, rest = page.partition(f"\n## `{node_type.name}`")
    assert found, f"docs/node-types.md has no section for {node_type.name}"
    section = rest.partition("\n## ")[0]
    for name in field_names(node_type.Config):
        assert f"`{name}`" in section, f"the section of {node_type.name} says nothing of {name}"


@celesta.node("shop.reserve")
def reserve(line: dict[str, Any], strict: bool = False) -> None:
    """The function that the page's examples call."""


def test_the_examples_of_the_page_could_be_published() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    nodes = {name: node for text in examples for name, node in yaml.safe_load(text).items()}
    assert {node["type"] for node in nodes.values()} == {t.name for t in NODE_TYPES} - {"end"}
    for name, node in nodes.items():
        assert problems(node["type"], node["with"]) == [], name


def test_a_type_of_an_outside_package_passes_the_same_way() -> None:
    """Plugins register their own class in the same registry; nothing else knows the list."""
    registry = Registry()
    register_all(registry)

    class Outside(type(types.get("transform"))):  # type: ignore[misc]
        name = "outside"

    registry.register(Outside())
    found = registry.get("outside")
    assert found is not None
    assert found.check({"output": 1}, "with") == []
    assert celery.__name__ == "celery", "our module of the same name must not shadow Celery"
