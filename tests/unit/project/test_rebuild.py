"""`make dev` builds the visual pages when their sources change, and tells how that went."""

import os
import sys
from pathlib import Path

import pytest

from project.embedded.home import Home
from project.frontend.pages import Pages
from project.supervisor import reload
from project.supervisor.rebuild import Rebuild
from tests.processes import wait_for

#: Builds once the file `go` is there, and fails where a source has an error.
BUILD = """
import sys, time
from pathlib import Path
home = Path(sys.argv[1])
with (home / "builds").open("a") as file:
    file.write("one\\n")
while not (home / "go").exists():
    time.sleep(0.01)
if "error" in (home / "frontend/src/editor.ts").read_text():
    sys.exit("editor.ts:1 is no TypeScript")
"""


class Dev:
    """What `make dev` does about the pages of a front end of our own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.source = directory / "frontend" / "src" / "editor.ts"
        self.source.parent.mkdir(parents=True)
        self.source.write_text("fine")
        self.told: list[str] = []
        home = Home(directory / "home")
        home.prepare()
        pages = Pages(directory / "frontend", directory / "built")
        build = [sys.executable, "-c", BUILD, str(directory)]
        self.rebuild = Rebuild(
            home, lambda name, text: self.told.append(f"{name}: {text}"), pages.sources, build
        )

    def write(self, text: str, at: int) -> None:
        self.source.write_text(text)
        os.utime(self.source, (at, at))

    def builds(self) -> int:
        path = self.directory / "builds"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def until(self, told: str) -> None:
        def has() -> bool:
            self.rebuild.tend()
            return any(told in line for line in self.told)

        wait_for(has, told=lambda: "\n".join(self.told))


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dev:
    monkeypatch.setattr(reload, "EVERY", 0.0)
    return Dev(tmp_path)


def test_a_change_is_built_and_told(dev: Dev) -> None:
    dev.rebuild.tend()
    assert dev.told == []
    dev.write("better", 1)
    (dev.directory / "go").touch()
    dev.until("load the page again")
    assert dev.told[0] == "pages: editor.ts changed; building"
    assert dev.builds() == 1


def test_what_changes_during_a_build_is_built_after_it(dev: Dev) -> None:
    dev.write("better", 1)
    dev.rebuild.tend()
    wait_for(lambda: dev.builds() == 1)
    dev.write("best", 2)
    dev.rebuild.tend()
    dev.rebuild.tend()
    assert dev.builds() == 1  # never two at once
    (dev.directory / "go").touch()
    dev.until("load the page again")
    dev.told.clear()
    dev.until("load the page again")
    assert dev.builds() == 2


def test_an_error_is_shown_and_the_next_change_is_built(dev: Dev) -> None:
    (dev.directory / "go").touch()
    dev.write("error", 1)
    dev.until("the pages stay as they were")
    assert "pages: editor.ts:1 is no TypeScript" in dev.told
    dev.write("mended", 2)
    dev.until("load the page again")
