"""Everything of the shop that Celesta must leave as it is, as JSON."""

import json
import logging
import re

from apps.people.models import Person
from celery.app.defaults import DEFAULTS as CELERY
from django.conf import settings
from django.contrib import admin
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import get_resolver
from rest_framework.settings import DEFAULTS, api_settings
from shop.celery import app

boss = Person(email="boss@shop.example", is_staff=True, is_superuser=True)
request = RequestFactory().get("/admin/")
request.user = boss
sections = {
    section["app_label"]: [model["object_name"] for model in section["models"]]
    for section in admin.site.get_app_list(request)
}
templates = ["admin/base.html", "admin/base_site.html", "admin/index.html", "admin/login.html"]
schema = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
app.loader.import_default_modules()


def said(value):
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def described(logger):
    return [logger.level, logger.propagate, logger.disabled, said(logger.handlers)]


facts = {
    "installed_apps": settings.INSTALLED_APPS,
    "settings": {
        name: said(getattr(settings, name))
        for name in dir(settings)
        if name.isupper() and name != "INSTALLED_APPS"
    },
    "addresses": [str(pattern.pattern) for pattern in get_resolver().url_patterns],
    "admin": {
        "sections": sections,
        "title": str(admin.site.site_header),
        "class": said(type(admin.site._wrapped)),
        "templates": {name: get_template(name).origin.name for name in templates},
    },
    "rest_framework": {name: said(getattr(api_settings, name)) for name in DEFAULTS},
    "schema": schema.json(),
    "celery": {
        "conf": {name: said(app.conf[name]) for name in CELERY},
        "tasks": {name: said(type(task).__mro__) for name, task in app.tasks.items()},
        "limits": {
            name: [task.time_limit, task.rate_limit, task.acks_late, task.serializer]
            for name, task in app.tasks.items()
        },
        "routes": {
            name: app.amqp.router.route({}, name)["queue"].name for name in sorted(app.tasks)
        },
        "queues": sorted(app.amqp.queues),
        "backend": [said(type(app.backend)), app.backend.as_uri()],
        "steps": {kind: sorted(map(str, steps)) for kind, steps in app.steps.items() if steps},
        "schedule": said(app.conf.beat_schedule),
    },
    "logging": {name: described(logging.getLogger(name)) for name in (None, "shop", "django")},
}
print(json.dumps(facts, default=repr))
