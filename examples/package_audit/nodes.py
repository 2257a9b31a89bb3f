"""The four functions that ``package_audit.yaml`` names."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import celesta
from celesta_worker.context import NodeContext
from examples.package_audit import places as installed
from examples.package_audit import summary, unowned, verify
from examples.package_audit.page import page
from examples.package_audit.places import Distribution
from examples.package_audit.table import table
from examples.package_audit.unowned import Unowned
from examples.package_audit.verify import Check


@celesta.node("package_audit.find")
def find(paths: list[str]) -> dict[str, Any]:
    """List the distributions in ``paths``, or on this machine when there are none given."""
    places = installed.places(paths)
    found = [one for place in places for one in installed.distributions(place)]
    return {
        "places": [str(place) for place in places],
        "count": len(found),
        "distributions": [asdict(one) for one in found],
    }


@celesta.node("package_audit.verify")
def check(distribution: Distribution) -> dict[str, Any]:
    """Compare every file of one distribution with the hash its installer recorded."""
    return asdict(verify.check(distribution))


@celesta.node("package_audit.unowned")
def strays(places: list[str]) -> dict[str, Any]:
    """Find files among the packages that no distribution claims."""
    return asdict(unowned.unowned([Path(place) for place in places]))


@celesta.node("package_audit.report")
def report(
    context: NodeContext, checks: list[Check], unowned_files: Unowned, largest: int
) -> dict[str, Any]:
    """Add up all verdicts; save the report as a page and as a table."""
    total = summary.summarise(checks, unowned_files)
    html = page(total, datetime.now(UTC))
    return {
        "findings": summary.findings(total),
        "distributions": len(total.checks),
        "files": total.files,
        "bytes": total.bytes,
        "verified": total.verified,
        "faults": total.faults,
        "broken": [
            {"name": one.name, "version": one.version, "problems": one.problems}
            for one in total.broken[:20]
        ],
        "unverifiable": len(total.unverifiable),
        "unowned": total.unowned.count,
        "largest": [{"name": one.name, "bytes": one.bytes} for one in total.checks[:largest]],
        "licences": dict(total.licences[:20]),
        "report": context.artifacts.save("package-audit.html", html, "text/html; charset=utf-8"),
        "table": context.artifacts.save(
            "package-audit.csv", table(total), "text/csv; charset=utf-8"
        ),
    }
