"""The check of docs/features.md finds what is not true."""

import pytest

from project.checks import features

HEAD = "| id | feature | state | test | page |\n|---|---|---|---|---|\n"
TRUE = "| P1 | up | done | `tests/a.py::test_up` | [running](running.md) |"


def told(row: str, collected: frozenset[str] = frozenset({"tests/a.py::test_up"})) -> list[str]:
    (feature,) = features.read(HEAD + row)
    return feature.problems(set(collected))


def test_a_true_row_is_accepted() -> None:
    assert told(TRUE) == []


def test_an_open_row_promises_nothing() -> None:
    assert told("| P1 | up | open | | |") == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (TRUE.replace("test_up", "test_gone"), "P1: no such test: tests/a.py::test_gone"),
        (TRUE.replace("running.md", "gone.md"), "P1: no such page: gone.md"),
        (TRUE.replace("`tests/a.py::test_up`", ""), "P1: done, but no test is named"),
        (TRUE.replace("[running](running.md)", "later"), "P1: done, but no page is linked"),
        (TRUE.replace("done", "nearly"), "P1: state 'nearly' is none of done, open"),
    ],
)
def test_an_untrue_row_is_told(row: str, problem: str) -> None:
    assert told(row) == [problem]


def test_ids_that_are_missing_or_there_twice_are_told(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    promised = tmp_path_factory.mktemp("promised") / "features.md"
    promised.write_text("| P1 | up | check | who |\n| P2 | scale | check | who |\n")
    monkeypatch.setattr(features, "PROMISED", promised)
    rows = features.read(f"{TRUE}\n{TRUE}\n{TRUE.replace('P1', 'P9')}")
    assert features.ids_problems(rows) == [
        "P1: there 2 times",
        "P2: missing in docs/features.md",
        "P9: not a promised feature",
    ]
