"""The result backend of the engine's own tasks: durable chords.

A chord's state is the gate in the run tables. The transaction that records the node which completes
a join also releases the join's node, and only the task that made this commit still carries the
chord when it returns (the runner clears it from every other's request). So when Celery's tracer
calls :meth:`DurableBackend.on_chord_part_return`, there is nothing to count or poll: the body is
sent. The team's own ``app.backend`` is not involved.
"""

from __future__ import annotations

from typing import Any

from celery.backends.base import BaseBackend
from celery.canvas import _chord, group, maybe_signature  # type: ignore[attr-defined]
from celery.utils import uuid


class DurableBackend(BaseBackend):
    """Keeps no results: they are in the run tables."""

    app: Any
    supports_autoexpire = True

    def store_result(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing to store."""

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        return {"task_id": task_id, "status": "PENDING", "result": None}

    def apply_chord(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing to set up: the gate was written with the run."""

    def ensure_chords_allowed(self) -> None:
        """They are."""

    def on_chord_part_return(
        self,
        request: Any,
        state: str,
        result: Any,
        **_kwargs: Any,
    ) -> None:
        """Send the body: this task's commit released it."""
        body = maybe_signature(request.chord, app=self.app) if request.chord else None
        if body is not None:
            body.apply_async()


class DurableChord(_chord):  # type: ignore[misc]
    """A chord whose state is not in ``app.backend``."""

    def apply_async(  # noqa: D102 - as in Celery
        self, args: Any = (), kwargs: Any = None, **options: Any
    ) -> Any:
        # Celery's own `run` asks app.backend, which may have no chords (or cost a round trip).
        body = self.body.clone()
        header: Any = group([task.clone() for task in self.tasks], app=self.app)
        group_id = uuid()
        body.freeze(uuid(), group_id=group_id)
        header.options["task_id"] = group_id
        header._freeze_group_tasks(group_id=group_id, chord=body)  # noqa: SLF001 - as chord.run
        return header.apply_async(args, kwargs, task_id=group_id, **options)
