"""Pages of runs, newest or oldest first, at a price that does not grow with the history.

An index gives rows in order only behind equal values. So a list over several states, triggers or
workflows is asked for as one short list for each combination, every one of them read from the end
of an index, and these are merged: a page of fifty reads some fifties of index entries, however rare
what is looked for, and never counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import product
from string import hexdigits
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from celesta.access.principals import SYSTEM
from celesta.runs import queries
from celesta.runs.models import Run
from celesta.runs.states import RunState
from celesta.workflows.models import Workflow

#: More lists than that cost more to plan than they save.
MOST_LISTS: Final = 96
#: Workflows that a search text may name; the first by name.
MOST_WORKFLOWS: Final = 10
#: A shorter text is a word, not the beginning of an id.
ID_LETTERS: Final = 4

#: Where a page begins: after the run with this time and id.
Place = tuple[datetime | str, UUID | str]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are asked for; what is empty asks for nothing. Times are of their creation."""

    workspaces: tuple[int, ...] = ()
    workflows: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    id_prefix: str = ""
    #: The beginning of an id, part of a workflow's name or title, or a whole idempotency key.
    text: str = ""
    #: The only workflows of which anything is told; None for all.
    within: tuple[int, ...] | None = None

    def only_of(self, workflows: tuple[int, ...]) -> RunFilter:
        """The same, of these workflows only, whatever else it asks for."""
        # As lists of their own where that says the same: each of those has an index in its order.
        own = not self.workflows and not self.text and workflows
        return replace(self, within=workflows, workflows=workflows if own else self.workflows)

    def narrow(self, rows: QuerySet[Run]) -> QuerySet[Run]:
        """Those of ``rows`` that are asked for; raises ValueError for an id that can be none."""
        rows = self._bounded(rows)
        if self.states:
            rows = rows.filter(state__in=self.states)
        if self.triggers:
            rows = rows.filter(trigger__in=self.triggers)
        return rows.filter(reduce(Q.__or__, self._homes(), Q(pk__in=[])))

    def page(
        self, limit: int, after: Place | None = None, *, oldest_first: bool = False
    ) -> list[Run]:
        """At most ``limit`` runs in order, with workflow, version number and workspace.

        Raises ValueError for an id, or ValidationError for a place, that can be none.
        """
        order = ("created_at", "id") if oldest_first else ("-created_at", "-id")
        rows = _beyond(self._bounded(Run.objects.all()), after, oldest_first=oldest_first)
        lists = [
            rows.filter(one).order_by(*order).values_list("created_at", "id")[:limit]
            for one in self._lists()
        ]
        if not lists:
            return []
        merged = lists[0]
        if len(lists) > 1:
            merged = lists[0].union(*lists[1:], all=True).order_by(*order)[: limit * 3]
        ids = list(dict.fromkeys(pk for _, pk in merged))[:limit]  # a search may find one twice
        found = queries.runs(SYSTEM).in_bulk(ids)
        return [found[pk] for pk in ids if pk in found]

    def _bounded(self, rows: QuerySet[Run]) -> QuerySet[Run]:
        if self.created_after:
            rows = rows.filter(created_at__gte=self.created_after)
        if self.created_before:
            rows = rows.filter(created_at__lt=self.created_before)
        if self.within is not None:
            rows = rows.filter(workflow_id__in=self.within)
        return queries.with_id_prefix(rows, self.id_prefix) if self.id_prefix else rows

    def _lists(self) -> Iterator[Q]:
        """One condition for each list that an index gives in order."""
        homes = self._homes()
        # The indexes with a trigger have the state behind it, so then each state has its list.
        states = self.states or (tuple(RunState) if self.triggers else ())
        by_state = [Q(state=state) for state in states] or [Q()]
        by_trigger = [Q(trigger=trigger) for trigger in self.triggers] or [Q()]
        if len(homes) * len(by_state) * len(by_trigger) <= MOST_LISTS:
            for home, state, trigger in product(homes, by_state, by_trigger):
                yield home & state & trigger
        else:
            words = (Q(state__in=states) if states else Q()) & (
                Q(trigger__in=self.triggers) if self.triggers else Q()
            )
            yield reduce(Q.__or__, homes) & words

    def _homes(self) -> list[Q]:
        """Workflows or workspaces in which to look, with what the search text means there."""
        spaces = [Q(workspace_id=one) for one in self.workspaces]
        flows = [Q(workflow_id=one) for one in self.workflows]
        inside = [*flows] if flows else spaces
        if not self.text:
            return inside
        found = [Q(idempotency_key=self.text)]
        if prefix := _as_id_prefix(self.text):
            found.append(prefix)
        named = [home & one for home in inside for one in found]
        if not flows:
            named += [Q(workflow_id=pk) for pk in self._named_workflows()]
        return named

    def _named_workflows(self) -> Sequence[int]:
        rows = Workflow.objects.filter(workspace_id__in=self.workspaces)
        if self.within is not None:
            rows = rows.filter(pk__in=self.within)
        named = rows.filter(Q(name__icontains=self.text) | Q(title__icontains=self.text))
        return list(named.order_by("name").values_list("pk", flat=True)[:MOST_WORKFLOWS])


def _as_id_prefix(text: str) -> Q | None:
    digits = text.replace("-", "").lower()
    if not ID_LETTERS <= len(digits) <= queries.UUID_DIGITS or set(digits) - set(hexdigits):
        return None
    first, last = queries.id_range(text)
    return Q(id__gte=first, id__lte=last)


def _beyond(rows: QuerySet[Run], after: Place | None, *, oldest_first: bool) -> QuerySet[Any]:
    if after is None:
        return rows
    at, pk = after
    step = "gt" if oldest_first else "lt"
    beyond = Q(**{f"created_at__{step}": at}) | Q(**{"created_at": at, f"id__{step}": pk})
    return rows.filter(Q(**{f"created_at__{step}e": at}) & beyond)  # the outer is for the index
