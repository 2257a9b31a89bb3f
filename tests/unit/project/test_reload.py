"""`make dev` sees what an editor does to a file."""

import os
from pathlib import Path

import pytest

from project.supervisor import reload
from project.supervisor.reload import Changes, code


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reload, "EVERY", 0.0)
    (tmp_path / "apps" / "shop").mkdir(parents=True)
    (tmp_path / "apps" / "shop" / "tasks.py").write_text("old")
    return tmp_path


def test_saved_new_and_deleted_files_are_seen_once(watched: Path) -> None:
    changes = Changes(lambda: code(watched))
    assert changes.since_last() == []
    tasks, new = watched / "apps" / "shop" / "tasks.py", watched / "apps" / "shop" / "new.sql"
    os.utime(tasks, (1, 1))
    new.touch()
    assert changes.since_last() == [new, tasks]
    assert changes.since_last() == []
    new.unlink()
    assert changes.since_last() == [new]


def test_other_files_do_not_matter(watched: Path) -> None:
    changes = Changes(lambda: code(watched))
    (watched / "apps" / "notes.txt").touch()
    (watched / "elsewhere.py").touch()
    assert changes.since_last() == []
