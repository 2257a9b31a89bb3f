"""The first minutes of a user: clone, `make up`, look at what was promised, Ctrl-C."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest

from project import ROOT
from project.embedded.accounts import erase, open_to_all
from tests.supervising import Up, environment

pytestmark = pytest.mark.long

NOBODY = 65534
OWN_ACCOUNT, ORDINARY_USER = "own account", "ordinary user"


class Clone:
    """A fresh clone in a path with a space, and who works in it."""

    def __init__(self, directory: Path, user: int | None, python: str) -> None:
        self.path = directory / "a fresh clone"
        self.user = user
        self.python = python
        subprocess.run(["git", "clone", "-q", str(ROOT), str(self.path)], check=True)
        if user is not None:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)

    def up(self) -> Up:
        """Run `make up`, as typed."""
        celesta = Up(self.path / ".celesta", demonstrate=True, user=self.user, cwd=self.path)
        return celesta.start(["make", f"PYTHON={self.python}", "up"], HOME=str(self.path.parent))


@pytest.fixture(params=[OWN_ACCOUNT, ORDINARY_USER])
def clone(request: pytest.FixtureRequest) -> Iterator[Clone]:
    """Return a clone for each kind of account."""
    directory = Path(mkdtemp(prefix="celesta clone "))
    user, python = None, sys.executable
    if request.param == ORDINARY_USER:
        if os.geteuid() != 0:
            pytest.skip("we are one: the own account is tested")
        user, python = NOBODY, python_for_everybody()
    made = Clone(directory, user, python)
    yield made
    erase(made.path / ".celesta")
    shutil.rmtree(directory, ignore_errors=True)


def python_for_everybody() -> str:
    """Return a supported Python that every user may run."""
    for candidate in (sys.executable, *(f"/usr/bin/python3.{minor}" for minor in (11, 12, 13))):
        if Path(candidate).exists() and open_to_all(Path(candidate)):
            return candidate
    pytest.skip("no Python 3.11 to 3.13 that an ordinary user may run")


def test_from_clone_to_report_and_back(clone: Clone) -> None:
    begun = time.monotonic()
    celesta = clone.up()
    try:
        celesta.wait_up(240)
        assert time.monotonic() - begun < 120, celesta.output
        looks_as_promised(celesta)
        ends_on_ctrl_c(celesta)
        assert subprocess.run(
            ["git", "status", "--porcelain"], cwd=clone.path, check=True, capture_output=True,
            env={**environment(clone.path, {}), "GIT_CONFIG_COUNT": "1",
                 "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
        ).stdout == b""  # fmt: skip

        begun = time.monotonic()
        celesta = clone.up().wait_up()
        assert time.monotonic() - begun < 10, celesta.output
        assert "Package audit" not in celesta.output
        ends_on_ctrl_c(celesta)
    finally:
        celesta.stop()


def looks_as_promised(celesta: Up) -> None:
    """Look at everything that the terminal names."""
    said = celesta.output
    assert len(re.findall(r"^    - ", said, re.MULTILINE)) == 3, said
    report = Path(value_of("Report", said))
    assert "<html" in report.read_text()
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
        run_page = browser.get(value_of("Sign in", said).split()[0])
        assert run_page.status_code == 200
        assert "/runs/" in str(run_page.url)
        assert "Run again" in run_page.text
        assert browser.get(celesta.published["PUBLIC_URL"] + "/admin/").status_code == 200
        assert browser.get(value_of("API docs", said).split()[0]).status_code == 200
        secret = (celesta.home / "secrets" / "flower").read_text()
        flower = browser.get(celesta.published["FLOWER_URL"], auth=("celesta", secret))
        assert flower.status_code == 200
    assert httpx.get(value_of("Sign in", said).split()[0]).status_code != 302  # once only


def value_of(label: str, said: str) -> str:
    """Return what the terminal shows beside a label."""
    found = re.search(rf"^  {label} +(\S.*)$", said, re.MULTILINE)
    assert found, said
    return found[1]


def ends_on_ctrl_c(celesta: Up) -> None:
    """Press Ctrl-C: the whole foreground group gets SIGINT; nothing may be left."""
    celesta.remember()
    assert celesta.popen
    os.killpg(celesta.popen.pid, signal.SIGINT)
    celesta.popen.wait(60)
    assert celesta.left() == []
    assert "All is down" in celesta.output
