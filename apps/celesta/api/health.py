"""Is this process alive, and can the service do its work? For load balancers and hasty people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError

from celesta import conf
from celesta.engine import canvas
from celesta.runs.models import Slot

logger = logging.getLogger(__name__)

OK: Final = "ok"
BROKER_TIMEOUT: Final = 2  # seconds


@login_not_required
@never_cache
@csrf_exempt
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers; it asks nobody else."""
    return JsonResponse({"status": OK})


@login_not_required
@never_cache
@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503; the body says for each part what is wrong with it.

    ``?parts=database,migrations`` asks only for these: a web process behind a load balancer takes
    runs without a broker and without workers.
    """
    wanted = request.GET.get("parts", ",".join(CHECKS)).split(",")
    if unknown := [name for name in wanted if name not in CHECKS]:
        # A part that is misspelt must not pass for one that works.
        told = f"There is no part {unknown[0]!r}; known: {', '.join(CHECKS)}."
        return JsonResponse({"status": "unknown", "parts": {unknown[0]: told}}, status=400)
    # Each once, however often it is named: everybody may ask, and some of it takes seconds.
    parts = {name: CHECKS[name]() for name in dict.fromkeys(wanted)}
    good = all(answer == OK for answer in parts.values())
    body = {"status": OK if good else "unavailable", "parts": parts}
    return JsonResponse(body, status=200 if good else 503)


def _database() -> str:
    try:
        with connections[conf.get("DATABASE")].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return _told("database", error, "PostgreSQL cannot be reached; check DATABASE_URL.")
    return OK


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connections[conf.get("DATABASE")])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return _told("migrations", error, "unknown: PostgreSQL cannot be reached.")
    return f"{len(plan)} not applied; run manage.py migrate." if plan else OK


def _broker() -> str:
    timeouts = {"socket_timeout": BROKER_TIMEOUT, "socket_connect_timeout": BROKER_TIMEOUT}
    try:
        with canvas.app().connection_for_write(connect_timeout=BROKER_TIMEOUT) as connection:
            connection.transport_options = {**(connection.transport_options or {}), **timeouts}
            connection.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT)
    except (KombuError, OSError) as error:
        return _told("broker", error, "The broker cannot be reached; runs are taken and wait.")
    return OK


def _workers() -> str:
    try:
        alive = Slot.objects.filter(lease_until__gt=Now()).exists()
    except DatabaseError as error:
        return _told("workers", error, "unknown: PostgreSQL cannot be reached.")
    return OK if alive else "No worker lives; runs are taken and wait. Start one."


def _told(part: str, error: Exception, sentence: str) -> str:
    # Addresses and users stay in the log: this page is open to everybody.
    logger.warning("%s is not ready: %s", part, error)
    return sentence


CHECKS: Final[Mapping[str, Callable[[], str]]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "workers": _workers,
}
