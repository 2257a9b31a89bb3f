"""Refusals about triggers: the docstring is the sentence a caller reads."""

from __future__ import annotations

from celesta.runs.errors import EngineError


class ScheduleInvalid(EngineError):
    """The schedule has errors; nothing was saved."""

    code = "invalid_schedule"


class ScheduleNameTaken(EngineError):
    """The workspace has a schedule of that name already."""

    code = "schedule_name_taken"
    status = 409


class ScheduleGone(EngineError):
    """The schedule was deleted meanwhile; nothing was done."""

    code = "schedule_gone"
    status = 404


class BackfillInvalid(EngineError):
    """The backfill has errors; nothing was started."""

    code = "invalid_backfill"


class BackfillEnded(EngineError):
    """The backfill has ended and cannot change."""

    code = "backfill_ended"
    status = 409
