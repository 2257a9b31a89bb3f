"""From many verdicts to totals and three sentences. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from examples.package_audit.metadata import NO_LICENCE, normalised
from examples.package_audit.unowned import Unowned
from examples.package_audit.verify import Check


@dataclass(frozen=True)
class Summary:
    """All checks, largest first, with what they add up to. Sizes are in bytes."""

    checks: list[Check]
    unowned: Unowned
    files: int
    bytes: int
    verified: int
    unhashed: int
    faults: int
    #: How many distributions have which licence, most frequent first.
    licences: list[tuple[str, int]]
    #: By normalised name: how many of the distributions require it.
    needed_by: dict[str, int]

    @property
    def broken(self) -> list[Check]:
        """Distributions with files that are not what was installed."""
        return [check for check in self.checks if check.faults]

    @property
    def unverifiable(self) -> list[Check]:
        """Distributions without a RECORD that can be read."""
        return [check for check in self.checks if check.record != "ok"]


def summarise(checks: list[Check], unowned: Unowned) -> Summary:
    """Add everything up."""
    return Summary(
        checks=sorted(checks, key=lambda check: (-check.bytes, check.name.lower())),
        unowned=unowned,
        files=sum(check.files for check in checks),
        bytes=sum(check.bytes for check in checks),
        verified=sum(check.verified for check in checks),
        unhashed=sum(check.unhashed for check in checks),
        faults=sum(check.faults for check in checks),
        licences=Counter(check.licence for check in checks).most_common(),
        needed_by=dict(Counter(name for check in checks for name in check.requires)),
    )


def findings(summary: Summary) -> list[str]:
    """Three sentences for a person: integrity, size, licences."""
    return [_integrity(summary), _size(summary), _licences(summary)]


def _integrity(summary: Summary) -> str:
    if summary.faults:
        first = [
            f"{problem['file']} of {check.name} ({problem['fault']})"
            for check in summary.broken
            for problem in check.problems
        ]
        more = summary.faults - len(first[:2])
        told = ", ".join(first[:2]) + (f" and {more:,} more" if more else "")
        sentence = f"{plural(summary.faults, 'file')} not as installed: {told}"
    else:
        sentence = f"all {summary.verified:,} files with a recorded hash are as installed"
    stray = summary.unowned.count
    belong = "belongs" if stray == 1 else "belong"
    sentence += f"; {plural(stray, 'file')} {belong} to no distribution" if stray else ""
    return _sentence(sentence)


def _size(summary: Summary) -> str:
    if not summary.checks:
        return "No distribution was found."
    largest = summary.checks[0]
    share = round(100 * largest.bytes / summary.bytes) if summary.bytes else 0
    return _sentence(
        f"{plural(len(summary.checks), 'distribution')} take {size(summary.bytes)} in "
        f"{summary.files:,} files; the largest, {largest.name}, "
        f"has {size(largest.bytes)} ({share} %)"
    )


def _licences(summary: Summary) -> str:
    named = [(name, count) for name, count in summary.licences if name != NO_LICENCE]
    silent = [check.name for check in summary.checks if check.licence == NO_LICENCE]
    told = ", ".join(f"{name} {count}" for name, count in named[:3]) or "none declared"
    others = len(named) - 3
    told += f" and {plural(others, 'other')}" if others > 0 else ""
    if silent:
        told += f"; {plural(len(silent), 'distribution')} without: {', '.join(silent[:3])}"
        told += " …" if len(silent) > 3 else ""
    return _sentence(f"licences: {told}")


def needed_by(summary: Summary, check: Check) -> int:
    """How many of the other distributions require this one."""
    return summary.needed_by.get(normalised(check.name), 0)


def plural(count: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def size(number: int) -> str:
    """Bytes as a person says it: ``12 B``, ``3.4 MB``."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
