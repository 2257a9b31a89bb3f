"""The report as CSV, for spreadsheets."""

from __future__ import annotations

import csv
from io import StringIO

from examples.package_audit.page import state
from examples.package_audit.summary import Summary, needed_by

TITLES = [
    *("name", "version", "licence", "files", "bytes", "verified", "unhashed", "faults"),
    *("needed_by", "requires", "editable", "state", "place"),
]


def table(summary: Summary) -> str:
    """One line for each distribution, largest first, under a line of titles."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(TITLES)
    for check in summary.checks:
        row = [check.name, check.version, check.licence, check.files, check.bytes, check.verified]
        row += [check.unhashed, check.faults, needed_by(summary, check), " ".join(check.requires)]
        row += [check.editable, state(check), check.place]
        writer.writerow([inert(value) for value in row])
    return out.getvalue()


def inert(value: object) -> object:
    """The value, quoted if a spreadsheet would take a distribution's text for a formula."""
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if risky else value
