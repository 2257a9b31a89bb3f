"""Decide on nodes whose failure failed a run: try them again, or let them rest."""

from __future__ import annotations

from django.db import transaction

from celesta import conf
from celesta.access.principals import Principal
from celesta.engine.rerun import Mode, rerun_run
from celesta.engine.start import Started
from celesta.runs import connection, transitions
from celesta.runs.errors import DeadLetterDecided
from celesta.runs.models import DeadLetter, Run


def retry(letter: DeadLetter, *, principal: Principal, trigger: str = "api") -> Started:
    """Run its run again from the node that failed; other open letters of that run go with it.

    Raises DeadLetterDecided, and what a rerun raises.
    """
    with transaction.atomic(using=conf.get("DATABASE")):
        # All of its run, since they are decided together: two people with two of them would each
        # wait for the other's.
        letters = DeadLetter.objects.select_for_update().filter(run_id=letter.run_id).order_by("pk")
        list(letters)
        locked = DeadLetter.objects.get(pk=letter.pk)
        if locked.state != DeadLetter.State.OPEN:
            raise DeadLetterDecided(_decided(locked))
        return rerun_run(
            Run.objects.select_related("version__workflow").get(pk=letter.run_id),
            principal=principal,
            mode=Mode.NODES,
            nodes=[letter.name],
            trigger=trigger,
            trigger_ref=f"dead-letter:{letter.pk}",
        )


def discard(letter: DeadLetter, *, by: str, reason: str = "") -> None:
    """Let it rest. Raises DeadLetterDecided."""
    with connection.borrowed():
        done = transitions.discard_if_open([letter.pk], by, reason)
    if not done:
        letter.refresh_from_db()
        raise DeadLetterDecided(_decided(letter))


def _decided(letter: DeadLetter) -> str:
    as_run = f" as run {letter.retried_as}" if letter.retried_as else ""
    return f"{letter.decided_by or 'Somebody'} has {letter.state} it already{as_run}."
