"""The three sentences, the page and the table."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import StringIO
from typing import Any

from examples.package_audit.page import page
from examples.package_audit.summary import Summary, findings, needed_by, size, summarise
from examples.package_audit.table import inert, table
from examples.package_audit.unowned import Unowned
from examples.package_audit.verify import Check

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def verdict(name: str, **facts: Any) -> Check:
    given = {"version": "1.0", "place": "/site", "licence": "MIT", "requires": [], **facts}
    return Check(name=name, **given)


def sound() -> Summary:
    return summarise(
        [
            verdict("small", files=2, bytes=1_000, verified=2, requires=["big", "other"]),
            verdict("big", files=10, bytes=3_000_000, verified=9, unhashed=1, licence="BSD"),
            verdict("other", files=1, bytes=500, verified=1, requires=["big"]),
        ],
        Unowned(),
    )


def broken() -> Summary:
    problems = [{"file": f"bad/{name}.py", "fault": "changed"} for name in "abc"]
    checks = [
        verdict("bad", files=5, bytes=10, verified=2, faults=7, problems=problems),
        verdict("system", record="none", licence="not declared"),
    ]
    return summarise(checks, Unowned(1, 3, ["/site/stray.pth"]))


def test_an_intact_machine_is_told_in_three_sentences() -> None:
    assert findings(sound()) == [
        "All 12 files with a recorded hash are as installed.",
        "3 distributions take 3.0 MB in 13 files; the largest, big, has 3.0 MB (100 %).",
        "Licences: MIT 2, BSD 1.",
    ]


def test_what_is_wrong_comes_first_and_is_counted_whole() -> None:
    first, _, third = findings(broken())
    assert first == (
        "7 files not as installed: bad/a.py of bad (changed), bad/b.py of bad (changed) "
        "and 5 more; 1 file belongs to no distribution."
    )
    assert third == "Licences: MIT 1; 1 distribution without: system."


def test_a_machine_without_distributions_has_findings_too() -> None:
    nothing = summarise([], Unowned())
    assert findings(nothing)[1] == "No distribution was found."
    assert "<svg" in page(nothing, NOON)


def test_sizes_are_said_as_people_say_them() -> None:
    numbers = [0, 999, 1_000, 12_345, 999_999_999, 3_200_000_000_000]
    assert [size(number) for number in numbers] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12.3 kB",
        "1000 MB",
        "3200 GB",
    ]


def test_it_is_counted_who_needs_whom() -> None:
    summary = sound()
    assert [needed_by(summary, check) for check in summary.checks] == [2, 0, 1]


class Outline(HTMLParser):
    """Collects what the tests ask about, and fails on tags that do not close."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.seen if tag == name]


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    assert parser.open == []
    return parser


def test_the_page_is_whole_needs_nothing_from_elsewhere_and_can_be_heard() -> None:
    html = page(broken(), NOON)
    seen = outline(html)
    assert not seen.tags("script")
    assert not seen.tags("link")
    assert "http" not in html
    assert "prefers-color-scheme: dark" in html
    assert [svg["role"] for svg in seen.tags("svg")] == ["img"]
    assert "bad 10 B" in html  # the chart in words
    assert len(seen.tags("caption")) == len(seen.tags("table")) == 3
    assert all(cell["scope"] in {"col", "row"} for cell in seen.tags("th"))


def test_the_page_names_every_fault_and_says_how_many_more_there_are() -> None:
    html = page(broken(), NOON)
    for name in "abc":
        assert f"bad/{name}.py" in html
    assert "And 4 more files" in html
    assert "/site/stray.pth" in html
    assert "no record" in html
    assert "21 November 2026, 12:00 UTC" in html


def test_a_distribution_cannot_put_markup_into_the_page() -> None:
    evil = "<script>alert(1)</script>"
    problems = [{"file": evil, "fault": "changed"}]
    check = verdict(evil, version=evil, licence=evil, faults=1, problems=problems, record=evil)
    html = page(summarise([check], Unowned(1, 1, [evil])), NOON)
    assert not outline(html).tags("script")


def test_the_table_has_a_line_for_each_distribution() -> None:
    rows = list(csv.DictReader(StringIO(table(sound()))))
    assert [row["name"] for row in rows] == ["big", "small", "other"]
    assert rows[1]["requires"] == "big other"
    assert rows[0] | {"bytes": "3000000", "needed_by": "2", "state": "as installed"} == rows[0]


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    assert inert("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert inert("plain") == "plain"
    assert inert(-1) == -1
    assert "'@SUM" in table(summarise([verdict("@SUM(A1)")], Unowned()))
