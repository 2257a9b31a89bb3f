"""``manage.py schedule``: look at schedules, hold them, start them, and fill in their past."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from celesta.console.management.verbs import VerbCommand
from celesta.triggers import backfills, schedules
from celesta.triggers.models import Backfill, Schedule, ScheduleSlot

BRIEF: Final = ("name", "workflow", "timing", "state", "next_at", "last_error")
PROGRESS: Final = ("id", "schedule", "state", "total", "started", "skipped", "refused", "left")
#: Slots that ``show`` prints; the API has them all.
SLOTS: Final = 10


class Command(VerbCommand):
    """List and show schedules, pause, resume, run and backfill them."""

    help = "List, show, pause, resume, run and backfill schedules."
    verbs = {
        "list": "list schedules with their next start",
        "show": "show one schedule and what became of its last slots",
        "next": "tell its next slots",
        "pause": "hold it: it starts nothing by itself",
        "resume": "let it go on; its catch-up policy decides about what it missed",
        "run": "start a run of it now",
        "backfill": "start runs for its slots of the past; --preview only counts them",
        "backfills": "list backfills and how far they are",
    }

    def arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one verb."""
        if verb not in ("list", "backfills"):
            parser.add_argument("name", help="name of the schedule")
        if verb == "next":
            parser.add_argument("--count", type=int, default=10, help="how many slots")
        if verb == "backfill":
            _backfill_arguments(parser)

    def do_list(self, **_: Any) -> None:
        """All schedules of the workspace."""
        rows = [_summary(row) for row in self._schedules().order_by("name")]
        if self.terminal.as_json:
            self.terminal.value(rows)
            return
        headings = [name.upper().replace("_AT", "").replace("_", " ") for name in BRIEF]
        self.terminal.table(headings, [[row[name] for name in BRIEF] for row in rows])

    def do_show(self, *, name: str, **_: Any) -> None:
        """One schedule and its newest slots."""
        found = self._schedule(name)
        rows = [_slot(row) for row in ScheduleSlot.objects.filter(schedule=found)[:SLOTS]]
        if self.terminal.as_json:
            self.terminal.value({**_summary(found), **_policies(found), "slots": rows})
            return
        self.terminal.facts([*_summary(found).items(), *_policies(found).items()])
        self.terminal.line()
        headings = ("slot", "state", "origin", "run", "note")
        self.terminal.table(
            [name.upper() for name in headings], [[row[name] for name in headings] for row in rows]
        )

    def do_next(self, *, name: str, count: int, **_: Any) -> None:
        """Its next slots, in UTC."""
        slots = schedules.upcoming(self._schedule(name), min(max(count, 1), 1000))
        if self.terminal.as_json:
            self.terminal.value(slots)
            return
        for slot in slots:
            self.terminal.line(slot.isoformat())
        if not slots:
            self.terminal.line(f"{name} has no slot to come")

    def do_pause(self, *, name: str, **_: Any) -> None:
        """Hold it back."""
        self._pause(name, paused=True)

    def do_resume(self, *, name: str, **_: Any) -> None:
        """Let it go on."""
        self._pause(name, paused=False)

    def _pause(self, name: str, *, paused: bool) -> None:
        found = schedules.set_paused(self._schedule(name), paused=paused)
        if self.terminal.as_json:
            self.terminal.value(_summary(found))
        self.terminal.line(f"{name} {'is paused' if paused else 'goes on'}")

    def do_run(self, *, name: str, **_: Any) -> None:
        """Start a run beside its slots, and print its id."""
        made = schedules.run_now(self._schedule(name), principal=self.principal)
        if self.terminal.as_json:
            self.terminal.value(_slot(made))
        self.terminal.line(f"started {name}: {made.run_id}")

    def do_backfill(
        self, *, name: str, begin: datetime, until: datetime, preview: bool, max_slots: int,
        max_active: int, newest_first: bool, rerun: bool, **_: Any,
    ) -> None:  # fmt: skip
        """Make a backfill; the leader starts its slots, so a worker must run."""
        draft = backfills.of_schedule(self._schedule(name), begin, until)
        draft.max_active, draft.newest_first = max_active, newest_first
        draft.existing = Backfill.Existing.RERUN if rerun else Backfill.Existing.SKIP
        if preview:
            self._preview(backfills.preview(draft, max_slots))
            return
        made = backfills.create(draft, principal=self.principal, limit=max_slots)
        if self.terminal.as_json:
            self.terminal.value(_progress(made))
        self.terminal.line(f"backfill {made.pk}: {made.total} slots are being started")

    def _preview(self, found: backfills.Preview) -> None:
        if self.terminal.as_json:
            facts = {"first": found.first, "last": found.last, "existing": found.existing}
            self.terminal.value({"count": found.count, **facts})
        last = (*found.first, *found.last)[-1]
        self.terminal.line(
            f"{found.count} slots, {found.first[0].isoformat()} to {last.isoformat()}; "
            f"{found.existing} have a run already"
        )

    def do_backfills(self, **_: Any) -> None:
        """The newest backfills of the workspace."""
        found = Backfill.objects.filter(workspace=self.workspace).select_related("schedule")
        rows = [_progress(row) for row in found[:SLOTS]]
        if self.terminal.as_json:
            self.terminal.value(rows)
            return
        self.terminal.table(
            [name.upper() for name in PROGRESS], [[row[name] for name in PROGRESS] for row in rows]
        )

    def _schedules(self) -> Any:
        rows = Schedule.objects.filter(workspace=self.workspace)
        return rows.select_related("workflow__current")

    def _schedule(self, name: str) -> Schedule:
        found: Schedule | None = self._schedules().filter(name=name).first()
        if found is None:
            raise CommandError(f"There is no schedule {name!r}; see: manage.py schedule list")
        return found


def _backfill_arguments(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--from", dest="begin", type=_instant, required=True, help="2026-01-01, or with a time")
    add("--until", type=_instant, required=True, help="included; UTC unless it has an offset")
    add("--preview", action="store_true", help="count the slots and start nothing")
    add("--max-slots", type=int, default=backfills.USUAL_SLOTS, help="refuse a range with more")
    add("--max-active", type=int, default=10, help="runs of it open at once")
    add("--newest-first", action="store_true")
    add("--rerun", action="store_true", help="run slots again that have a run already")


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _summary(found: Schedule) -> dict[str, Any]:
    state = "off" if not found.enabled else "paused" if found.held else "on"
    return {
        "name": found.name,
        "workflow": found.workflow.name,
        "timing": found.timing.describe(),
        "state": "ended" if state == "on" and found.next_at is None else state,
        "next_at": found.next_start,
        "last_error": found.last_error,
    }


def _policies(found: Schedule) -> dict[str, Any]:
    names = ("starts_at", "ends_at", "jitter", "overlap", "catch_up", "params")
    return {name: getattr(found, name) for name in names}


def _slot(row: ScheduleSlot) -> dict[str, Any]:
    run: UUID | None = row.run_id
    shown = {"slot": row.slot, "state": row.state, "origin": row.origin}
    return {**shown, "run": str(run) if run else None, "note": row.note}


def _progress(row: Backfill) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in ("state", "total", "started", "skipped")}
    schedule = row.schedule.name if row.schedule else None
    return {"id": row.pk, "schedule": schedule, **facts, "refused": row.refused, "left": row.left}
