"""Making the OpenAPI document: of our views only, under our settings only.

drf-spectacular keeps its settings in one global object. They are patched under a lock, once a
process for each mount point, so that the project's own schema is never made with ours nor ours
with its.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any, Final

from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RoutePattern
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings

import celesta
from celesta.api.schema.visibility import MAKING_OURS

OURS: Final[dict[str, Any]] = {
    "TITLE": "Celesta",
    "DESCRIPTION": (
        "Durable workflows on Django and Celery. Every error is `application/problem+json` "
        "with a stable `code`."
    ),
    "VERSION": celesta.__version__,
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["celesta.api.schema.generation.without_doubles"],
    # The stock hook remembers the enum names of the schema made first, the project's or ours.
    "POSTPROCESSING_HOOKS": [
        "celesta.api.schema.generation.without_enum_ids",
        "celesta.api.schema.generation.with_needed_documents",
    ],
}

#: Not for patching, says drf-spectacular: they are read when its views are imported.
FIXED: Final = ("SERVE_", "DEFAULT_GENERATOR_CLASS")

_lock = Lock()


def settings() -> dict[str, Any]:
    """Every setting of drf-spectacular: its defaults and ours, nothing of the project's."""
    stock = {k: v for k, v in SPECTACULAR_DEFAULTS.items() if not k.startswith(FIXED)}
    return {**stock, **OURS}


@cache
def document(prefix: str) -> dict[str, Any]:
    """The OpenAPI document of the API mounted at ``prefix`` (``/api/``)."""
    from celesta.api.urls import urlpatterns

    mounted: list[URLPattern | URLResolver] = [
        URLResolver(RoutePattern(prefix.lstrip("/")), urlpatterns)
    ]
    generator: Any = SchemaGenerator  # has no types
    with _lock, patched_settings(settings()):
        token = MAKING_OURS.set(True)
        try:
            made: dict[str, Any] = generator(patterns=mounted).get_schema(public=True)
        finally:
            MAKING_OURS.reset(token)
    return made


def without_doubles(endpoints: list[Any], **_: Any) -> list[Any]:
    """Take out the methods that a view has only because another address has them too."""
    return [
        (path, regex, method, view)
        for path, regex, method, view in endpoints
        if method not in view.cls.doubles
    ]


def without_enum_ids(result: Any, generator: SchemaGenerator, **_: Any) -> Any:
    """Take out the marks that drf-spectacular leaves on enumerations for its stock hook."""
    if isinstance(result, dict):
        return {
            key: without_enum_ids(value, generator)
            for key, value in result.items()
            if key != "x-spec-enum-id"
        }
    if isinstance(result, list):
        return [without_enum_ids(value, generator) for value in result]
    return result


def with_needed_documents(result: Any, generator: SchemaGenerator, **_: Any) -> Any:
    """Say that a body which is a document must be there; drf-spectacular says so of shapes only."""
    for item in result["paths"].values():
        for operation in item.values():
            body = operation.get("requestBody", {})
            if "application/yaml" in body.get("content", {}):
                body["required"] = True
    return result
