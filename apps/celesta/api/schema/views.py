"""Serving the OpenAPI document, and a page to browse it."""

from __future__ import annotations

from typing import Any

import yaml
from django.apps import apps
from django.http import HttpResponse
from django.urls import reverse
from django.views.generic import TemplateView
from rest_framework.request import Request

from celesta.api import raw
from celesta.api.base import BaseView
from celesta.api.renderers import JSON
from celesta.api.schema.generation import document

JSON_TYPE = "application/vnd.oai.openapi+json"
YAML_TYPE = "application/vnd.oai.openapi"


class SchemaView(BaseView):
    """The OpenAPI document. It holds no data, so anybody may read it."""

    authentication_classes = []
    permission_classes = []
    content_negotiation_class = raw.AnyAccept
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """The document as JSON, or with ``?as=yaml`` as YAML."""
        form = raw.choice(request, "as", ("json", "yaml"))
        made = document(reverse("celesta_api:schema").removesuffix("schema/"))
        if form == "yaml":
            return raw.text(yaml.safe_dump(made, sort_keys=False, allow_unicode=True), YAML_TYPE)
        return HttpResponse(self._json(made), content_type=JSON_TYPE)

    def _json(self, made: dict[str, Any]) -> bytes:
        return JSON().render(made)


class DocsView(TemplateView):
    """The schema as a page; nothing is loaded from elsewhere."""

    template_name = "celesta_api/docs.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Where the schema is, and whether its viewer is installed."""
        return super().get_context_data(
            schema_url=reverse("celesta_api:schema"),
            has_viewer=apps.is_installed("drf_spectacular_sidecar"),
            **kwargs,
        )
