"""`docs/features.md` is honest: every id is there, and what is done has a test and a page."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from project import ROOT
from project.processes.child import python

TABLE = ROOT / "docs" / "features.md"
# The list that the table promises to cover, where this repository lies beside it.
PROMISED = ROOT.parent / "shared" / "features.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \|(.*)\|$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TEST = re.compile(r"`(tests/[^`\s]+::[^`\s]+)`")
STATES = ("done", "open")


@dataclass(frozen=True)
class Feature:
    """A row of the table."""

    id: str
    state: str
    tests: tuple[str, ...]
    pages: tuple[str, ...]

    def problems(self, collected: set[str]) -> list[str]:
        """Return what is untrue about this row, given the ids of all collected tests."""
        if self.state not in STATES:
            return [f"{self.id}: state {self.state!r} is none of {', '.join(STATES)}"]
        if self.state == "open":
            return []
        found = [] if self.tests else [f"{self.id}: done, but no test is named"]
        found += [] if self.pages else [f"{self.id}: done, but no page is linked"]
        found += [f"{self.id}: no such test: {t}" for t in self.tests if t not in collected]
        found += [f"{self.id}: no such page: {p}" for p in self.pages if not _exists(p)]
        return found


def main() -> int:
    """Check the table; return an exit code."""
    features = read(TABLE.read_text())
    problems = [*ids_problems(features), *rows_problems(features)]
    for problem in problems:
        print(problem)
    done = sum(feature.state == "done" for feature in features)
    print(f"{len(features)} features, {done} done")
    return 1 if problems else 0


def read(text: str) -> list[Feature]:
    """Return the rows of a table `| id | feature | state | test | page |`."""
    features = []
    for identifier, rest in ROW.findall(text):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", rest)]
        _, state, tests, pages = (*cells, "", "", "", "")[:4]
        tests_named = tuple(TEST.findall(tests))
        features.append(Feature(identifier, state, tests_named, tuple(LINK.findall(pages))))
    return features


def ids_problems(features: list[Feature]) -> list[str]:
    """Return ids that are missing, unknown or there twice."""
    ids = Counter(feature.id for feature in features)
    found = [f"{each}: there {count} times" for each, count in ids.items() if count > 1]
    if not PROMISED.exists():
        return found
    promised = {identifier for identifier, _ in ROW.findall(PROMISED.read_text())}
    found += [f"{each}: missing in docs/features.md" for each in sorted(promised - ids.keys())]
    return found + [f"{each}: not a promised feature" for each in sorted(ids.keys() - promised)]


def rows_problems(features: list[Feature]) -> list[str]:
    """Return what is untrue in the rows."""
    named = any(feature.tests for feature in features)
    collected = _collected() if named else set()
    return [problem for feature in features for problem in feature.problems(collected)]


def _collected() -> set[str]:
    """Return the ids of all tests that pytest collects, parameters left out."""
    done = subprocess.run(
        python("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests"),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"pytest cannot collect the tests:\n{done.stdout[-2000:]}")
    lines = (line.partition("[")[0] for line in done.stdout.splitlines())
    return {line for line in lines if "::" in line}


def _exists(link: str) -> bool:
    """Tell whether a link relative to the table leads to a file."""
    target = link.partition("#")[0]
    return bool(target) and Path(TABLE.parent, target).is_file()


if __name__ == "__main__":
    sys.exit(main())
