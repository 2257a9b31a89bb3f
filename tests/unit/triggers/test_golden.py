"""Golden tables of five zones around a gap, an overlap and a leap day; see docs/schedules.md.

Each row says from when on, which instants follow (UTC), and what the wall clock shows at them, so
that a reader can check a row without a calculator. They hold for the past years of the tables,
whatever governments decide about later ones.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from celesta.triggers.timing import Timing, zone

TABLES = sorted((Path(__file__).parent / "golden").glob("*.json"))


def rows() -> list[Any]:
    tables = [json.loads(table.read_text()) for table in TABLES]
    return [
        pytest.param(table["zone"], row, id=f"{table['zone']}: {row['case']}")
        for table in tables
        for row in table["rows"]
    ]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(("name", "row"), rows())
def test_the_slots_of_a_table(name: str, row: dict[str, Any]) -> None:
    timing = Timing(row.get("cron", ""), row.get("every"), name)
    moment: datetime | None = instant(row["after"])
    found: list[datetime] = []
    for _ in row["slots"]:
        assert moment is not None
        moment = timing.after(moment)
        found += [moment] if moment else []
    assert found == [instant(slot) for slot in row["slots"]]
    assert [slot.astimezone(zone(name)).strftime("%H:%M %z") for slot in found] == row["walls"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_every_table_has_every_case(table: Path) -> None:
    cases = {row["case"] for row in json.loads(table.read_text())["rows"]}
    kinds = ("hourly", "every half hour", "every six hours", "an interval of 30 min")
    wanted = {f"{change}: {kind}" for change in ("gap", "overlap") for kind in kinds}
    wanted |= {f"{change}: daily, inside the {change}" for change in ("gap", "overlap")}
    assert cases == wanted | {"leap day"}


def test_there_are_at_least_four_zones() -> None:
    assert len(TABLES) >= 4
