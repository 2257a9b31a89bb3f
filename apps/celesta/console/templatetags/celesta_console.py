"""Filters and tags of our templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from celesta.console.drawing import pictures
from celesta.console.showing import times
from celesta.graph.plan import PlanNode

register = template.Library()
#: As the engine writes instants into its sentences.
ISO_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+\d\d:\d\d)")


@register.simple_tag
def state_badge(state: str) -> SafeString:
    """A state as icon and word: never by its colour alone."""
    return format_html(
        '<span class="badge s-{0}"><svg class="icon" aria-hidden="true"><use href="#ce-{0}"/></svg>'
        "{1}</span>",
        state,
        state.replace("_", " "),
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of the drawings of ``_icons.html``."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#ce-{}"/></svg>', name)


@register.simple_tag
def when(moment: datetime | None, empty: str = "") -> SafeString | str:
    """A moment as people say it, with the exact time on hovering."""
    if moment is None:
        return empty
    local = timezone.localtime(moment)
    exact = f"{local:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f" {local:%Z}"
    said = times.ago(moment, timezone.now())
    return format_html(
        '<time datetime="{}" title="{}" data-exact>{}</time>', moment.isoformat(), exact, said
    )


@register.simple_tag
def exact(moment: datetime, place: ZoneInfo | None = None) -> SafeString:
    """An instant in a zone (UTC); our script adds what the viewer's clock shows."""
    local = moment.astimezone(place or UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-exact>{}</time>',
        moment.isoformat(),
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"{local:%a %Y-%m-%d %H:%M:%S %Z}",
    )


@register.filter
def kind_of(node: PlanNode) -> str:
    """What kind of node it is, in the words of its author: the end of a run is its output."""
    return pictures.kind_of(node)


@register.simple_tag
def clock(moment: datetime | None, digits: int = 3) -> SafeString | str:
    """The time of day, to the millisecond or to the second; a script shows the viewer's own."""
    if moment is None:
        return ""
    time = f"{timezone.localtime(moment):%H:%M:%S.%f}"
    return format_html(
        '<time datetime="{}" title="{}" data-exact data-clock="{}">{}</time>',
        moment.isoformat(), instant(moment), digits, time[:-3] if digits else time[:-7],
    )  # fmt: skip


@register.filter
def instant(moment: datetime) -> str:
    """Date, time and zone of the server, for hints; a script puts the viewer's own in its place."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"


@register.filter
def instants(text: str) -> SafeString:
    """A sentence with its ISO instants as times that have the exact one on hovering."""
    parts = ISO_INSTANT.split(text)
    return format_html_join(
        "",
        "{}{}",
        ((said, _instant_in(at)) for said, at in zip_longest(parts[::2], parts[1::2])),
    )


def _instant_in(text: str | None) -> SafeString | str:
    try:
        return exact(datetime.fromisoformat(text)) if text else ""
    except ValueError:  # the name of a task, say, that only looks like one
        return text or ""


@register.filter
def lasted(run: Any) -> str:
    """How long a run or node run took, or has taken by now."""
    return times.between(run.started_at, run.finished_at, timezone.now())


@register.filter
def seconds(count: float | None) -> str:
    """A duration; empty for None."""
    return times.duration(count)


@register.filter
def percent(share: float) -> str:
    """A share of 1, never rounded up to all or down to none."""
    if 0 < share < 1:
        share = min(max(share, 0.001), 0.999)
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


@register.filter
def unslug(slug: str) -> str:
    """``data-engineering`` as people write it."""
    return slug.replace("-", " ")


@register.filter
def bytes_size(count: int) -> str:
    """``4.2 kB``."""
    return times.size(count)


@register.inclusion_tag("celesta_console/_json.html")
def json(value: Any, label: str = "", href: str = "") -> dict[str, Any]:
    """A JSON value, indented and cut when it is long; ``href`` leads to the whole of it."""
    text = times.pretty(value)
    return {
        "text": text[: times.SHOWN],
        "cut": len(text) > times.SHOWN,
        "length": times.size(len(text.encode())),
        "label": label,
        "href": href,
    }


@register.filter
def short_json(value: Any, length: int = 90) -> str:
    """A JSON value on one line, cut."""
    text = " ".join(times.pretty(value).split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """The value of a key, or None."""
    return mapping.get(key)
