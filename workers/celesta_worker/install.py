"""What ``celesta.install(app)`` does: add tasks and the keeper, and change nothing else."""

from __future__ import annotations

import gc
import logging
import os
import threading
from typing import Any

import psycopg
from celery import Celery
from celery.signals import (
    celeryd_after_setup,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)

from celesta.engine import canvas
from celesta_worker import interrupts, log_capture, slots, tasks
from celesta_worker.log_writer import writer

logger = logging.getLogger("celesta.install")

KEEPER = "celesta_worker.keeper:Keeper"
DRAIN = "celesta_worker.drain:Drain"
INTAKE = "celesta_worker.intake:Intake"


def install(app: Celery) -> Celery:
    """Add the engine's tasks, keeper, drain and intake to the app. Safe to call twice."""
    if KEEPER in app.steps["worker"]:
        return app
    tasks.register(app)
    app.steps["worker"].update({KEEPER, DRAIN})
    app.steps["consumer"].add(INTAKE)
    canvas.use(app)
    # The second one only comes from the program, not from workers within tests; the first one comes
    # before handlers of the project may have changed the queues.
    worker_init.connect(_know_worker, dispatch_uid="celesta.worker_init")
    celeryd_after_setup.connect(_know_worker, dispatch_uid="celesta.worker")
    worker_process_init.connect(_begin_process, dispatch_uid="celesta.process")
    worker_process_shutdown.connect(_end_process, dispatch_uid="celesta.process_end")
    # A pool of threads works in the worker's own process, and has no signal of its own.
    worker_ready.connect(_hear, dispatch_uid="celesta.ready")
    worker_shutdown.connect(_end_worker, dispatch_uid="celesta.end")
    return app


def _know_worker(sender: Any, instance: Any = None, **_: Any) -> None:
    """Before the pool forks: remember what the slots will write into their rows."""
    worker = instance or sender
    if KEEPER not in worker.app.steps["worker"]:
        return  # another app's worker, in the same process
    names = worker.app.amqp.queues.consume_from
    slots.Worker.name, slots.Worker.pid = worker.hostname, os.getpid()
    slots.Worker.queues = tuple(sorted({q for name in names for q in canvas.document_queues(name)}))
    tasks.unbound(worker)
    if getattr(worker.pool_cls, "is_green", False):
        logger.warning(
            "workflows are not made for pools of greenlets: every message costs this worker a slot "
            "and a connection; serve their queues by a worker with -P prefork, threads or solo"
        )


def _begin_process(**_: Any) -> None:
    """In each process of a pool: be seen as idle, and take the signals that concern a slot."""
    log_capture.install()
    if threading.current_thread() is threading.main_thread():
        interrupts.listen()
    if os.getpid() == slots.Worker.pid:
        return  # the solo pool works in the worker's own process: its slot comes with a message
    # What was loaded before the fork stays: to look through it for garbage again and again costs a
    # tenth of the time of short nodes, and copies the pages shared with the parent.
    gc.freeze()
    try:
        slots.current()
    except psycopg.Error as error:
        # The project's own tasks run all the same, and each message for us tries again.
        reason = str(error).partition("\n")[0]
        logger.warning("no slot yet, the database refuses: %s", reason)


def _hear(**_: Any) -> None:
    """Keep what nodes log and print from now on."""
    log_capture.install()


def _end_process(**_: Any) -> None:
    """A process of a pool ends: the last lines of its nodes are stored before."""
    writer.flush()


def _end_worker(**_: Any) -> None:
    writer.flush()
    log_capture.remove()
