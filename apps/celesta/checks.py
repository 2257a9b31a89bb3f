"""System checks of an installation: what a project still has to do, each with its cure.

Django runs them before `runserver`, `migrate` and tests, and by `manage.py check` (those that ask
the database with `--database default`). They look at every room, hence none imports this module:
``celesta.runs`` names it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - theirs
from django.db import connections, router
from django.urls import NoReverseMatch, reverse

import celesta
from celesta import conf
from celesta.engine import canvas
from celesta.workflows import catalogue

OLDEST_POSTGRESQL: Final = 14
#: What the pages stand on. Their own checks say the rest (middleware, templates).
NEEDED: Final = ("django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes")


@register
def settings_are_ours(**_: Any) -> list[CheckMessage]:
    """``settings.CELESTA`` has known names and fitting values."""
    return [Error(problem, id="celesta.E001") for problem in conf.problems()]


@register
def log_level_is_known(**_: Any) -> list[CheckMessage]:
    """The level of node logs is one of logging's, or OFF."""
    level = conf.get("NODE_LOG_LEVEL")
    known = [*logging.getLevelNamesMapping(), conf.OFF]
    if level in known:
        return []
    return [
        Error(
            f"CELESTA['NODE_LOG_LEVEL'] is {level!r}, which is no level of Python's logging.",
            hint=f"Name one of: {', '.join(known)}.",
            id="celesta.E008",
        )
    ]


@register
def times_have_zones(**_: Any) -> list[CheckMessage]:
    """Schedules and timers are moments, not readings of some clock."""
    if settings.USE_TZ:
        return []
    return [
        Error(
            "Celesta needs time zones, and USE_TZ is False.",
            hint="Set USE_TZ = True; Django's page on time zones tells how a project changes over.",
            id="celesta.E002",
        )
    ]


@register
def apps_are_complete(**_: Any) -> list[CheckMessage]:
    """All rooms are there, and what their pages stand on."""
    missing = [name for name in (*NEEDED, *celesta.APPS) if not apps.is_installed(name)]
    if not missing:
        return []
    return [
        Error(
            f"Celesta's apps need others that are not in INSTALLED_APPS: {', '.join(missing)}.",
            hint="Add them; INSTALLED_APPS += celesta.APPS adds all of Celesta's own.",
            id="celesta.E003",
        )
    ]


@register
def database_is_postgresql(**_: Any) -> list[CheckMessage]:
    """The engine's database exists, is PostgreSQL, and is where the models go."""
    alias = conf.get("DATABASE")
    if alias not in settings.DATABASES:
        return [
            Error(
                f"CELESTA['DATABASE'] is {alias!r}, which is not in DATABASES.",
                hint=f"Name one of: {', '.join(settings.DATABASES)}.",
                id="celesta.E004",
            )
        ]
    if connections[alias].vendor != "postgresql":
        return [
            Error(
                f"Celesta needs PostgreSQL, and database {alias!r} is {connections[alias].vendor}.",
                hint="Its tables refer to your users, so both have to be in one PostgreSQL "
                "database; else run Celesta as a service of its own and use its API.",
                id="celesta.E004",
            )
        ]
    return [*_routed(alias)]


def _routed(alias: str) -> Iterator[CheckMessage]:
    if not apps.is_installed("celesta.runs"):
        return
    written = router.db_for_write(apps.get_model("celesta_runs", "Run"))
    if written != alias:
        yield Error(
            f"Models of Celesta are written to database {written!r}, but CELESTA['DATABASE'] is "
            f"{alias!r}.",
            hint=f"Let DATABASE_ROUTERS send the celesta_* apps to {alias!r}.",
            id="celesta.E005",
        )


@register(Tags.database)
def server_is_recent(databases: Collection[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The server knows what the functions use. Only asked when Django checks databases."""
    alias = conf.get("DATABASE")
    if alias not in (databases or ()) or connections[alias].vendor != "postgresql":
        return []
    major = connections[alias].get_database_version()[0]
    if major >= OLDEST_POSTGRESQL:
        return []
    return [
        Error(
            f"Celesta needs PostgreSQL {OLDEST_POSTGRESQL} or later, and database {alias!r} is on "
            f"{major}.",
            hint="Upgrade the server; its own end of life has passed, too.",
            id="celesta.E006",
        )
    ]


@register
def celery_app_is_ours(**_: Any) -> list[CheckMessage]:
    """This process publishes through the project's Celery app."""
    if canvas.is_installed():
        return [*_celery(canvas.app().conf)]
    return [
        Warning(
            "No Celery app in this process has Celesta: runs that it starts wait for a worker's "
            "leader to send them.",
            hint="Call celesta.install(app) where your Celery app is made, and import that module "
            "in your project package's __init__.py, as Celery's page on Django says.",
            id="celesta.W001",
        )
    ]


def _celery(app_conf: Any) -> Iterator[CheckMessage]:
    if not {"json", "application/json"} & set(app_conf.accept_content):
        yield Error(
            "Your Celery app does not accept JSON, in which Celesta's messages are.",
            hint="Add 'json' to accept_content (CELERY_ACCEPT_CONTENT).",
            id="celesta.E007",
        )
    if app_conf.task_always_eager:
        yield Warning(
            "task_always_eager is on: runs would be carried out inside the request that starts "
            "them.",
            hint="Leave it to tests. There, runs of Celesta need a worker (see "
            "docs/existing-project.md).",
            id="celesta.W003",
        )
    declared = [queue.name for queue in app_conf.task_queues or ()]
    default = canvas.queue_name(canvas.DEFAULT)
    if not app_conf.task_create_missing_queues and default not in declared:
        yield Warning(
            f"Queue {default!r}, to which nodes go by default, is not in task_queues.",
            hint="Add it there, or name one of yours in CELESTA['DEFAULT_QUEUE'].",
            id="celesta.W004",
        )


@register
def templates_can_be_read(**_: Any) -> list[CheckMessage]:
    """Every file of the catalogue is a template; faulty ones are left out of it."""
    return [
        Warning(fault, hint="docs/templates.md says what a template is.", id="celesta.W005")
        for fault in catalogue.faults()
    ]


@register
def addresses_are_there(**_: Any) -> list[CheckMessage]:
    """The include is in the project's URLs."""
    try:
        reverse("celesta_api:schema")
    except NoReverseMatch:
        return [
            Warning(
                "Celesta's pages and API have no address.",
                hint='Add path("celesta/", include("celesta.urls")) to your URLs, or silence this '
                "check where no web server runs.",
                id="celesta.W002",
            )
        ]
    return []
