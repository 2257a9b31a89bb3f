"""Building the visual pages: two at once, nothing to do, and a build that fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT
from project.frontend import pages as module
from project.frontend.__main__ import main
from project.frontend.pages import Pages
from tests.processes import wait_for

#: Says what it was asked for, waits for the file `go`, and builds the text of one source.
NPM = """#!/bin/sh
echo "$1" >> ../asked
if [ "$1" = ci ]; then mkdir -p node_modules; touch node_modules/.package-lock.json; exit 0; fi
until [ -e ../go ]; do sleep 0.05; done
grep error src/editor.ts && exit 1
mkdir -p node_modules/.built
cp src/editor.ts node_modules/.built/editor.js
echo free > node_modules/.built/licenses.md
"""
TWO = """
import sys
from pathlib import Path
from project.frontend import pages
from project.frontend.__main__ import main
home = Path(sys.argv[1])
pages.npm = lambda: ([str(home / "npm")], {})
(home / sys.argv[2]).touch()
sys.exit(main(["build"], pages.Pages(home / "frontend", home / "built")))
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    (tmp_path / "frontend" / "src").mkdir(parents=True)
    (tmp_path / "frontend" / "package-lock.json").touch()
    (tmp_path / "frontend" / "src" / "editor.ts").write_text("first")
    npm = tmp_path / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    monkeypatch.setattr(module, "npm", lambda: ([str(npm)], dict(os.environ)))
    return Pages(tmp_path / "frontend", tmp_path / "built")


def asked(pages: Pages) -> list[str]:
    """Return what npm was asked for."""
    path = pages.home.parent / "asked"
    return path.read_text().split() if path.exists() else []


def test_of_two_at_once_the_second_waits_and_has_nothing_to_do(pages: Pages) -> None:
    # Given one that builds, and another that begins meanwhile,
    home = pages.home.parent
    running = []
    for name in ("first", "second"):
        argv = [sys.executable, "-c", TWO, str(home), name]
        running.append(subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        wait_for(lambda name=name: (home / name).exists())  # type: ignore[misc]
        wait_for(lambda: "run" in asked(pages))

    # when the first has built,
    (home / "go").touch()
    told = [process.communicate(timeout=60)[0] for process in running]

    # then the second has found that.
    assert [process.returncode for process in running] == [0, 0]
    assert asked(pages) == ["ci", "run"]
    assert "Visual pages built" in told[0]
    assert "Visual pages up to date" in told[1]
    assert (pages.built / "editor.js").read_text() == "first"


def test_a_change_and_a_file_that_went_are_built(pages: Pages) -> None:
    (pages.home.parent / "go").touch()
    (pages.home / "src" / "old.ts").touch()
    assert main(["build"], pages) == 0
    assert main(["build"], pages) == 0
    assert asked(pages) == ["ci", "run"]
    (pages.home / "src" / "old.ts").unlink()
    assert main(["build"], pages) == 0
    assert asked(pages) == ["ci", "run", "run"]
    (pages.home / "src" / "editor.ts").write_text("second")
    (pages.built / "gone.js").touch()
    assert main(["build"], pages) == 0
    assert sorted(path.name for path in pages.built.iterdir()) == ["editor.js", "licenses.md"]
    assert (pages.built / "editor.js").read_text() == "second"


def test_a_build_that_fails_leaves_the_pages_as_they_were(
    pages: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages.home.parent / "go").touch()
    assert main(["build"], pages) == 0
    (pages.home / "src" / "editor.ts").write_text("error in line 1")
    assert main(["build"], pages) == 1
    assert "error in line 1" in capsys.readouterr().out
    assert (pages.built / "editor.js").read_text() == "first"
    assert main(["build"], pages) == 1  # it is not taken for built


def test_a_source_that_changes_during_the_build_is_built_again(pages: Pages) -> None:
    (pages.home.parent / "go").touch()
    assert main(["build"], pages) == 0
    source = pages.home / "src" / "editor.ts"
    built = pages.last.stat()
    assert built.st_mtime_ns < (pages.built / "editor.js").stat().st_mtime_ns
    os.utime(source, ns=(built.st_mtime_ns + 1, built.st_mtime_ns + 1))
    assert not pages.up_to_date()
