"""What is done for a slot whose process is dead: its nodes go to others, its row stops counting."""

from __future__ import annotations

import random
import time

from celesta import conf
from celesta.engine import canvas, plans
from celesta.runs import transitions, upkeep
from celesta.runs.calls import Claimed, Report, Sent
from celesta.runs.outcomes import Failed
from celesta.runs.upkeep import SlotRow
from celesta_worker.finish import Finished
from celesta_worker.page import SlotView
from celesta_worker.verdict import report_for

#: A call number that no slot has: whatever the row holds was not begun.
_NO_CALL = -1


def bury(view: SlotView) -> None:
    """Take back what the dead slot held, and end its lease. Safe to repeat."""
    row = upkeep.slot(view.slot)
    if row is None or (row.token is None and not row.is_live):
        return
    if row.token is None or row.token == view.token:
        _take_back(view.slot, row.token, seq=view.seq, begun=view.begun)
    else:
        # Claimed by a call whose answer the process did not live to see: nothing of it had begun.
        _take_back(view.slot, row.token, seq=_NO_CALL, begun=0)


def take_back_stopped(view: SlotView) -> None:
    """Take back from a stopped process, once its lease has ended; its results will be refused."""
    if view.token:
        _take_back(view.slot, view.token, seq=view.seq, begun=view.begun, force=False)


def time_out(view: SlotView) -> bool:
    """Report the node whose body was over its deadline as timed out, by its retry policy.

    The other nodes of the slot go to others; those of them that had begun are not to blame. False:
    the row does not hold what the page says, and nothing was done.
    """
    row = upkeep.slot(view.slot)
    report = _timeout_report(view, row) if row else None
    if row is None or row.run is None or row.token is None or report is None:
        return False
    rest = [Claimed(*key, 0, 0, None) for key in row.held if key != (report.scope, report.node)]
    completion = transitions.complete(
        row.id,
        row.token,
        row.seq + 1,
        row.run,
        [report],
        rest=rest,
        wave=row.wave,
        leave=True,
        lease=conf.get("LEASE"),
    )
    _publish(completion.sent)
    token = row.token if rest else None
    _take_back(row.id, token, seq=row.seq + 1, begun=view.begun - 1, blame=False)
    return True


def _timeout_report(view: SlotView, row: SlotRow) -> Report | None:
    """The report about the node in whose body the process was."""
    same = row.run is not None and (row.token, row.seq) == (view.token, view.seq)
    loaded = plans.of_run(row.run) if same and row.run else None
    if row.run is None or loaded is None or not 0 < view.begun <= len(row.held):
        return None
    scope, number = row.held[view.begun - 1]
    node = loaded.plan.nodes[number]
    attempt, losses = upkeep.tries(row.run, scope, number)
    limit = f"{node.timeout:g} s" if node.timeout else "its time"
    message = f"the node ran longer than {limit} and did not stop when it was told to"
    late = time.monotonic() - view.deadline
    return report_for(
        Finished(Failed(message, code="timeout")),
        node,
        Claimed(scope, number, attempt, losses, None),
        began=late + (node.timeout or 0.0),
        ended=0.0,
        rand=random.random(),  # noqa: S311 - spreads retries
    )


def _take_back(
    slot: int,
    token: int | None,
    *,
    seq: int,
    begun: int,
    blame: bool = True,
    force: bool = True,
) -> None:
    _, sent = transitions.take_back(slot, token, seq=seq, begun=begun, blame=blame, force=force)
    _publish(sent)


def _publish(sent: tuple[Sent, ...]) -> None:
    loaded = plans.of_run(sent[0].run) if sent else None
    if loaded is not None:
        canvas.publish(loaded.plan, sent)
