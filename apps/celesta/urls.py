"""Everything of Celesta in one include: ``path("celesta/", include("celesta.urls"))``."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from celesta.api import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="celesta_live"),
    path("health/ready", health.ready, name="celesta_ready"),
    path("api/", include("celesta.api.urls")),
]

if find_spec("celesta.console.urls"):  # a project may leave the pages out of INSTALLED_APPS
    urlpatterns.append(path("", include("celesta.console.urls")))
