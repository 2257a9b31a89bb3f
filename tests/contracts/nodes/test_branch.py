from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.nodes.harness import codes, failure, output, run

SCOPE = {"params": {"express": True, "bulk": False, "both": True, "n": 1}}


def test_the_case_that_holds_is_the_output() -> None:
    config = {"cases": {"express": "{{ params.express }}", "bulk": "{{ params.bulk }}"}}
    assert output(run("branch", config, SCOPE)) == {"case": "express"}


def test_without_a_case_that_holds_the_default_is_taken() -> None:
    config = {"cases": {"bulk": "{{ params.bulk }}"}, "default": "normal"}
    assert output(run("branch", config, SCOPE)) == {"case": "normal"}


def test_without_a_default_the_node_fails_for_good() -> None:
    found = failure(run("branch", {"cases": {"bulk": "{{ params.bulk }}"}}, SCOPE))
    assert (found.code, found.retryable) == ("no_case_matched", False)


def test_several_cases_of_a_mapping_are_refused_since_a_mapping_has_no_order() -> None:
    config = {"cases": {"express": "{{ params.express }}", "both": "{{ params.both }}"}}
    found = failure(run("branch", config, SCOPE))
    assert found.code == "several_cases_matched"
    assert "both, express" in found.message


def test_of_a_list_the_first_that_holds_is_taken() -> None:
    config = {
        "cases": [
            {"case": "bulk", "when": "{{ params.bulk }}"},
            {"case": "both", "when": "{{ params.both }}"},
            {"case": "express", "when": "{{ params.express }}"},
        ]
    }
    assert codes("branch", config) == set()
    assert output(run("branch", config, SCOPE)) == {"case": "both"}


def test_a_condition_that_is_neither_true_nor_false_fails() -> None:
    found = failure(run("branch", {"cases": {"n": "{{ params.n }}"}}, SCOPE))
    assert (found.code, found.retryable) == ("case_not_bool", False)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"cases": {}}, ("invalid_config", "nodes.it.with.cases")),
        ({"cases": []}, ("invalid_config", "nodes.it.with.cases")),
        ({"cases": "x"}, ("invalid_config", "nodes.it.with.cases")),
        ({"cases": {"a.b": "yes"}}, ("invalid_config", 'nodes.it.with.cases["a.b"]')),
        ({"cases": {"": True}}, ("invalid_config", 'nodes.it.with.cases[""]')),
        ({"cases": [{"case": "a"}]}, ("missing_field", "nodes.it.with.cases[0].when")),
        (
            {"cases": [{"case": "a", "when": True}, {"case": "a", "when": False}]},
            ("duplicate_case", "nodes.it.with.cases[1]"),
        ),
    ],
)
def test_faulty_cases_are_refused_at_publish(
    config: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert codes("branch", config) == {problem}
