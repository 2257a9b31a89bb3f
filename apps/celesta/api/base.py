"""What all our views have in common. Nothing is set in REST_FRAMEWORK: that is the project's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast

from drf_spectacular.openapi import AutoSchema
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from celesta.access import workspaces
from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.api import asking, counting, problems
from celesta.api.authentication import PageAuthentication, TokenAuthentication
from celesta.api.parsers import JSONBody
from celesta.api.permissions import HasRole
from celesta.api.refusals import InvalidQuery, LengthRequired, NotFound
from celesta.api.renderers import JSON
from celesta.api.schema.visibility import OursOnly

#: For views whose every row comes from ``visible_to``, and that make nothing elsewhere.
EVERY_METHOD: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"})


class BaseView(APIView):
    """A view that knows its caller (``principal``) and the workspace that the call is about."""

    authentication_classes = [TokenAuthentication, PageAuthentication]
    permission_classes = [HasRole]
    parser_classes = [JSONBody]
    renderer_classes = [JSON]
    throttle_classes = []
    content_negotiation_class: type[BaseContentNegotiation] = DefaultContentNegotiation
    versioning_class = None
    metadata_class = None
    schema: AutoSchema | None = OursOnly()

    #: The role that each method needs; a method that is not named needs the viewer's.
    roles: ClassVar[Mapping[str, Role]] = {}
    #: Methods that keep to the workflows of a caller who is limited to some; the others refuse such
    #: callers, so that a new address is closed to them until somebody has thought of it.
    keeps_to_workflows: ClassVar[frozenset[str]] = frozenset()
    #: Methods that belong to another address and are left out of the schema here.
    doubles: ClassVar[frozenset[str]] = frozenset()
    #: The fields of each row that the caller wants to see; all when there are none.
    fields: Sequence[str] = ()

    @property
    def principal(self) -> Principal:
        """Who acts."""
        return cast("Principal", self.request.auth)

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace that the caller named or has as the only one (``workspaces.choose``)."""
        return workspaces.choose(self.principal, self.named_workspace)

    @property
    def named_workflow(self) -> str | None:
        """The workflow that the address names, if it is about one."""
        return None

    @property
    def named_workspace(self) -> str | None:
        """The slug in the X-Celesta-Workspace header or the ``workspace`` parameter, if any."""
        request: Request = self.request
        named: str | None = request.headers.get("X-Celesta-Workspace")
        return named or request.query_params.get("workspace")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what no view can use, then find out who calls and whether they may."""
        if any("\x00" in str(value) for value in kwargs.values()):
            raise NotFound
        if any("\x00" in text for pair in request.query_params.items() for text in pair):
            raise InvalidQuery("A query parameter has a NUL character.")
        if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired  # the framework would take such a body for an empty one
        try:
            super().initial(request, *args, **kwargs)
        finally:  # refused calls count too; what is open to all asks the database nothing
            if self.authentication_classes:
                counting.count(request)
        handler = getattr(self, (request.method or "").lower(), None)
        if takes := getattr(handler, "takes", None):
            asking.refuse_unknown(request, takes.parameters | {"workspace"})
            self.fields = asking.fields(request, takes.fields)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Leave out of each row what was not asked for."""
        data: Any = getattr(response, "data", None)
        if self.fields and response.status_code == HTTPStatus.OK and "results" in data:
            data["results"] = [
                {name: row[name] for name in self.fields if name in row} for row in data["results"]
            ]
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        """What the Allow header tells."""
        return [method for method in super().allowed_methods if method not in self.doubles]

    def get_exception_handler(self) -> Callable[..., Any]:
        """Ours, for our views only."""
        return problems.handle
