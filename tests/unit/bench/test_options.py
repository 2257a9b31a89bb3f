from pathlib import Path

import pytest

from benchmarks.options import parse


def test_without_options_everything_is_measured_five_times() -> None:
    options = parse([])

    assert options.what == "canvas"
    assert options.workloads == ("W1", "W2", "W3", "W4")
    assert (options.repeat, options.concurrency, options.prefetch) == (5, 2, None)


def test_options_are_taken_as_given() -> None:
    options = parse(
        [
            "calls",
            "--workloads",
            "w4,W1",
            "--repeat",
            "7",
            "--latency",
            "2.5ms",
            "--json",
            "x.json",
            "--prefetch",
            "16",
        ]
    )

    assert options.what == "calls"
    assert options.workloads == ("W4", "W1")
    assert options.repeat == 7
    assert options.latency == 0.0025
    assert options.json == Path("x.json")
    assert options.prefetch == 16


def test_quick_makes_it_short_and_tries_no_prefetch() -> None:
    options = parse(["--quick"])

    assert (options.repeat, options.prefetch) == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--workloads W9", "is not among W1,W2,W3,W4"),
        ("--workloads ,", "is not among"),
        ("--repeat 0", "is not a whole number of 1 or more"),
        ("--latency 5", "is no delay of 0ms to 100ms"),
        ("--latency 500ms", "is no delay"),
    ],
)
def test_what_makes_no_sense_is_told(
    arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(arguments.split())

    assert sentence in capsys.readouterr().err


def test_parts_of_the_pages_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["ui"]).parts == ("lists", "pages", "run", "editor")
    assert parse(["ui", "--parts", "editor,Run"]).parts == ("editor", "run")
    with pytest.raises(SystemExit):
        parse(["ui", "--parts", "dashboard"])
    assert "'dashboard' is not among lists,pages,run,editor" in capsys.readouterr().err
