"""What a stream is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from celesta.runs.tailing import News, Wanted


@dataclass(frozen=True, slots=True)
class Topic:
    """One run with its log lines; or the events of a workspace, of some kinds or a workflow."""

    run: UUID | None = None
    workspace: int | None = None
    workflow: str = ""
    kinds: frozenset[str] = field(default_factory=frozenset)
    #: The only workflows that the caller reaches; None for all.
    within: frozenset[str] | None = None
    #: The state of a run that was over when the stream was opened, and since when.
    over: str = ""
    over_at: datetime | None = None

    @property
    def wanted(self) -> Wanted:
        """The same for the database."""
        if self.run is not None:
            return Wanted(runs=(self.run,))
        return Wanted(workspaces=() if self.workspace is None else (self.workspace,))

    def has(self, news: News) -> bool:
        """True for what belongs to this stream."""
        if self.run is not None:
            return news.run == self.run
        return (
            not news.is_line
            and news.workspace == self.workspace
            and (not self.workflow or news.workflow == self.workflow)
            and (self.within is None or news.workflow in self.within)
            and (not self.kinds or news.kind in self.kinds)
        )
