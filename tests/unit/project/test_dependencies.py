"""What the code imports is declared, locked with hashes, and locked without any address."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from project import ROOT

OURS = {"celesta", "celesta_worker", "project", "examples", "tests", "benchmarks"}
# A part of the declared package, released with it.
COMES_WITH = {"pydantic-core", "redis", "referencing"}  # pydantic, celery[redis], jsonschema
LOCKS = ("requirements.txt", "requirements-dev.txt")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*roots: str) -> Iterator[tuple[Path, str]]:
    for path in (path for root in roots for path in (ROOT / root).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield path, node.module.split(".")[0]


def missing(declared: set[str], *roots: str) -> set[tuple[str, str]]:
    known = packages_distributions()
    return {
        (str(path.relative_to(ROOT)), module)
        for path, module in imported(*roots)
        if module not in OURS | set(sys.stdlib_module_names)
        and not declared & {canonical(name) for name in known.get(module, [module])}
    }


def names(lines: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines)
    return {canonical(match.group()) for match in found if match}


def test_what_runs_is_in_the_runtime_requirements() -> None:
    declared = names((ROOT / "requirements.in").read_text().splitlines())
    assert missing(declared | COMES_WITH, "apps", "workers", "project", "examples") == set()


def test_what_the_wheel_imports_is_in_its_metadata() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    optional = {"django-unfold"}  # used when it is there
    assert missing(names(declared) | optional | COMES_WITH, "apps", "workers") == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_an_exact_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(packages) > 50
    for package in packages:
        assert re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", package)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_place(lock: str) -> None:
    assert re.findall(r"://|file:|^-[a-z-]|^--| @ ", (ROOT / lock).read_text(), re.MULTILINE) == []


def test_both_locks_agree() -> None:
    def versions(lock: str) -> dict[str, str]:
        return dict(
            re.findall(r"^([a-z0-9.-]+)(?:\[.*\])?==(\S+)", (ROOT / lock).read_text(), re.M)
        )

    run, dev = (versions(lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in run} == run
