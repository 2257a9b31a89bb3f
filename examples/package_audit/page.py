"""The report as one HTML page: no script, no request to anywhere, light and dark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from pathlib import Path

from examples.package_audit.chart import bars
from examples.package_audit.summary import Summary, findings, needed_by, plural, size
from examples.package_audit.verify import Check

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
CHARTED = 12


def page(summary: Summary, made_at: datetime) -> str:
    """The whole page. Everything that comes from a distribution is escaped."""
    largest = [(check.name, check.bytes, size(check.bytes)) for check in summary.checks[:CHARTED]]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Package audit</title><style>{STYLE}</style></head><body><main>",
            _header(summary, made_at),
            _cards(summary),
            _section("findings", "Findings", _list(findings(summary))),
            _faults(summary),
            _section("largest", "The largest", bars("Size on disk", largest)),
            _section("licences", "Licences", _licences(summary)),
            _section("all", "All distributions", _table(summary)),
            _unowned(summary),
            "</main></body></html>",
        ]
    )


def _header(summary: Summary, made_at: datetime) -> str:
    return (
        "<header><h1>Package audit</h1>"
        f"<p>{plural(len(summary.checks), 'distribution')}, checked file by file against the "
        f'hashes their installer recorded. <time datetime="{made_at.isoformat()}">'
        f"{made_at.day} {made_at:%B %Y, %H:%M} UTC</time></p></header>"
    )


def _section(name: str, title: str, body: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{body}</section>'


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _cards(summary: Summary) -> str:
    unowned = summary.unowned.count
    cards = [
        ("Distributions", f"{len(summary.checks):,}", ""),
        ("Files", f"{summary.files:,}", ""),
        ("Size", size(summary.bytes), ""),
        ("Hashes verified", f"{summary.verified:,}", ""),
        ("Not as installed", f"{summary.faults:,}", "bad" if summary.faults else "good"),
        ("Unowned files", f"{unowned:,}", "warn" if unowned else "good"),
    ]
    items = (
        f'<div class="{tone}"><dt>{label}</dt><dd>{value}</dd></div>'
        for label, value, tone in cards
    )
    return f'<dl class="cards">{"".join(items)}</dl>'


def _faults(summary: Summary) -> str:
    if not summary.faults:
        return ""
    rows = [
        [check.name, problem["file"], problem["fault"]]
        for check in summary.broken
        for problem in check.problems
    ]
    table = _grid("Files that differ from their record", ["Distribution", "File", "Fault"], rows)
    hidden = summary.faults - len(rows)
    more = f"<p>And {plural(hidden, 'more file')} of the same distributions.</p>" if hidden else ""
    return _section("faults", "Not as installed", table + more)


def _licences(summary: Summary) -> str:
    rows = [[name, f"{count:,}"] for name, count in summary.licences]
    return _grid("Distributions by licence", ["Licence", "Distributions"], rows, numbers={1})


def _table(summary: Summary) -> str:
    titles = ["Name", "Version", "Licence", "Files", "Size", "Verified", "Needed by", "State"]
    rows = [_row(summary, check) for check in summary.checks]
    return _grid("Every distribution, largest first", titles, rows, numbers={3, 4, 5, 6})


def _row(summary: Summary, check: Check) -> list[str]:
    return [
        check.name,
        check.version,
        check.licence,
        f"{check.files:,}",
        size(check.bytes),
        f"{check.verified:,}",
        f"{needed_by(summary, check):,}",
        state(check),
    ]


def state(check: Check) -> str:
    """The verdict on a distribution in two or three words."""
    if check.faults:
        return plural(check.faults, "fault")
    if check.record == "none":
        return "editable, no record" if check.editable else "no record"
    if check.record != "ok":
        return f"record unreadable: {check.record}"
    return "editable" if check.editable else "as installed"


def _unowned(summary: Summary) -> str:
    if not summary.unowned.count:
        return ""
    hidden = summary.unowned.count - len(summary.unowned.files)
    lines = [*summary.unowned.files, *([f"and {hidden:,} more"] if hidden else [])]
    return _section("unowned", "Files that belong to no distribution", _list(lines))


def _grid(
    caption: str, titles: list[str], rows: list[list[str]], numbers: set[int] | None = None
) -> str:
    """A table; the first column heads the row, ``numbers`` are set flush right."""
    tones = [' class="n"' if column in (numbers or ()) else "" for column in range(len(titles))]
    head = "".join(
        f'<th scope="col"{tone}>{title}</th>' for title, tone in zip(titles, tones, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, tones)}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(row: list[str], tones: list[str]) -> str:
    first, *rest = (escape(value) for value in row)
    cells = (f"<td{tone}>{value}</td>" for value, tone in zip(rest, tones[1:], strict=True))
    return f'<th scope="row">{first}</th>{"".join(cells)}'
