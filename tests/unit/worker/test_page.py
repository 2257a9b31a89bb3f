"""Where the pages of slots are."""

from __future__ import annotations

from typing import Any

import pytest

from celesta.runs import connection
from celesta_worker import page


def test_each_database_has_pages_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of slots are a database's: another one's dead process is none of ours."""
    found = connection.parameters()

    def directory(**other: Any) -> str:
        monkeypatch.setattr(connection, "parameters", lambda: {**found, **other})
        made = page.directory()
        if other:
            made.rmdir()
        return made.name

    ours = directory()
    assert ours not in {directory(dbname="another"), directory(port="1"), directory(host="there")}
