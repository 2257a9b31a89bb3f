"""A bar chart as inline SVG, readable without seeing it."""

from __future__ import annotations

from html import escape

ROW = 26
NAMES, WIDTH, VALUES = 190, 720, 80


def bars(title: str, rows: list[tuple[str, int, str]]) -> str:
    """Horizontal bars, one for each ``(name, number, number as text)``; no number below 0."""
    most = max((number for _, number, _ in rows), default=0) or 1
    told = "; ".join(f"{name} {text}" for name, _, text in rows)
    marks = "".join(_bar(index, row, most) for index, row in enumerate(rows))
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {ROW * len(rows) + 4}" role="img" '
        f'aria-labelledby="chart-title chart-text"><title id="chart-title">{escape(title)}</title>'
        f'<desc id="chart-text">{escape(told)}</desc>{marks}</svg></figure>'
    )


def _bar(index: int, row: tuple[str, int, str], most: int) -> str:
    name, number, text = row
    length = max(2, round((WIDTH - NAMES - VALUES) * number / most))
    middle = index * ROW + ROW // 2 + 6
    return (
        f'<text class="name" x="{NAMES - 10}" y="{middle}">{escape(shortened(name))}</text>'
        f'<rect x="{NAMES}" y="{index * ROW + 4}" width="{length}" height="{ROW - 7}" rx="4"/>'
        f'<text class="value" x="{NAMES + length + 8}" y="{middle}">{escape(text)}</text>'
    )


def shortened(name: str, most: int = 24) -> str:
    """The name, cut where it would run out of its column."""
    return name if len(name) <= most else name[: most - 1] + "…"
