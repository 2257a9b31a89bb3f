"""Addresses that are none: they too answer with a problem, not with the project's 404 page."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from celesta.api.base import BaseView
from celesta.api.refusals import NotFound, PathInvalid


class NowhereView(BaseView):
    """Whatever no other view wants."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse everything, whoever asks and however."""
        if ".." in request.path.replace("\\", "/").split("/"):
            raise PathInvalid
        cure = "" if request.path.endswith("/") else " Addresses end with a slash."
        raise NotFound(f"The API has no address {request.path}.{cure} See the schema.")
