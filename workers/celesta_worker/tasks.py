"""The engine's Celery tasks: each is one domain call. Unknown arguments are of a newer release."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from celery import Celery, Task

from celesta.engine import canvas
from celesta.engine.backend import DurableBackend
from celesta_worker import arguments

TICK: Final = "celesta.tick"
#: Seconds, for what a limit cannot be taken off; the keeper enforces the deadlines of nodes.
TEN_YEARS: Final = 315_360_000.0


class EngineTask(Task):  # type: ignore[type-arg]
    """The base of the engine's tasks, whatever ``task_cls`` and ``task_*`` settings a project has.

    Early acknowledgement: a lost message is sent again by the leader, long before the broker would.
    """

    abstract = True
    acks_late = False
    ignore_result = True
    store_errors_even_if_ignored = False
    track_started = False
    serializer = "json"
    send_events = False  # nodes have events of their own
    max_retries = 0

    _durable: DurableBackend | None = None

    @classmethod
    def on_bound(cls, app: Celery) -> None:  # noqa: ARG003 - Celery hands it over
        """Take off what the project's settings and annotations have put on: messages carry it."""
        cls.rate_limit = cls.time_limit = cls.soft_time_limit = None

    @property  # type: ignore[misc]
    def backend(self) -> Any:
        """Not the project's; made when first needed, for it reads the app's configuration."""
        if self._durable is None:
            self._durable = DurableBackend(app=self.app)
        return self._durable


def register(app: Celery) -> None:
    """Add the engine's tasks to an app, without a look at its configuration: that comes later."""

    @app.task(bind=True, name=canvas.ADVANCE, base=EngineTask, shared=False)
    def advance(
        self: Any,
        /,
        *_args: Any,
        run: Any = None,
        scope: Any = None,
        node: Any = None,
        hint: Any = None,
        via: Any = "task",
        v: Any = canvas.PROTOCOL,
        **_: Any,
    ) -> None:
        from celesta_worker import runner  # models: only when Django is ready

        problem = arguments.of_advance(run, scope, node, hint, via, v)
        if arguments.are_right(self, problem):
            runner.advance(self.request, run=run, scope=scope, node=node, hint=hint, via=via)

    @app.task(bind=True, name=canvas.REPORT, base=EngineTask, shared=False)
    def report(
        self: Any,
        /,
        result: Any = None,
        *_args: Any,
        run: Any = None,
        scope: Any = None,
        node: Any = None,
        attempt: Any = None,
        ok: Any = None,
        **_: Any,
    ) -> None:
        from celesta_worker import foreign

        if arguments.are_right(self, arguments.of_report(run, scope, node, attempt, ok)):
            foreign.report(run, scope, node, attempt, result, ok=ok)

    @app.task(bind=True, name=TICK, base=EngineTask, shared=False)
    def tick(self: Any, /, *_args: Any, timing: Any = None, **_: Any) -> None:
        # By name: the worker's rooms are above the triggers, which only some workers need.
        if arguments.are_right(self, arguments.of_tick(timing)):
            import_module("celesta.triggers.schedules").tick(timing=timing)


def unbound(worker: Any) -> None:
    """Keep a worker's time limits from the engine's tasks: they are meant for the project's own.

    A message for us stands for many nodes, each with a deadline of its own; Celery would kill the
    process in the midst of them. The pool's limits hold for every task that has none.
    """
    for name in (canvas.ADVANCE, canvas.REPORT, TICK):
        task = worker.app.tasks[name]
        task.time_limit = TEN_YEARS if worker.time_limit else None
        task.soft_time_limit = TEN_YEARS if worker.soft_time_limit else None
