"""Variables of a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking, etags
from celesta.api.base import BaseView
from celesta.api.pagination import Keyset, page
from celesta.api.refusals import NameTaken, NotFound
from celesta.api.schema.operations import PAGING, operation, page_of, query
from celesta.api.shapes.access import NewVariable, VariableShape, VariableValue
from celesta.vault import variables as store
from celesta.vault.models import Variable

BY_NAME = Keyset(("name",))


class VariablesView(BaseView):
    """All variables of the workspace."""

    roles = {"POST": Role.AUTHOR}

    @operation(
        "variables_list", "List variables",
        answers={200: page_of(VariableShape)},
        parameters=[*PAGING, query("q", "Part of a name or description.")],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List variables by name."""
        rows, text = variables_of(self), request.query_params.get("q", "")
        if text:
            rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
        return page(request, rows, BY_NAME, _shown)

    @operation(
        "variables_create", "Create a variable", body=NewVariable, answers={201: VariableShape}
    )
    def post(self, request: Request) -> Response:
        """Create a variable."""
        body = asking.body(request, NewVariable)
        try:
            with transaction.atomic():
                row = store.create(self.workspace, **body)
        except IntegrityError as error:
            name = body["name"]
            raise NameTaken(f"There is a variable {name!r} already; PUT changes it.") from error
        return _told(row, 201)


def variables_of(view: BaseView) -> QuerySet[Variable]:
    """The variables of the view's workspace."""
    visible: QuerySet[Variable] = Variable.objects.visible_to(view.principal)
    return visible.filter(workspace=view.workspace)


def _shown(rows: list[Variable]) -> Iterable[Any]:
    return VariableShape(rows, many=True).data


def _told(row: Variable, status: int = 200) -> Response:
    data = VariableShape(row).data
    return Response(data, status, headers={"ETag": etags.of(data)})


class VariableView(BaseView):
    """One variable."""

    roles = {"PUT": Role.AUTHOR, "DELETE": Role.AUTHOR}

    @cached_property
    def variable(self) -> Variable:
        """The variable that the address names; raises NotFound."""
        return self._found(variables_of(self))

    def locked(self) -> Variable:
        """The same as it is now and stays until the transaction ends; raises NotFound."""
        return self._found(variables_of(self).select_for_update(no_key=True))

    def _found(self, rows: QuerySet[Variable]) -> Variable:
        name = self.kwargs["name"]
        found = rows.filter(name=name).first()
        if found is None:
            raise NotFound(f"There is no variable {name!r} in workspace {self.workspace.slug!r}.")
        return found

    @operation(
        "variables_get", "Read a variable",
        answers={200: VariableShape, 304: None}, parameters=[etags.IF_NONE_MATCH],
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Any:
        """Read a variable; its ETag is for If-Match."""
        told = _told(self.variable)
        return etags.tagged(request, told, told.headers["ETag"])

    @operation(
        "variables_set", "Change a variable",
        body=VariableValue, answers={200: VariableShape}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def put(self, request: Request, name: str) -> Response:
        """Change a variable; nodes that are still to run will read the new value."""
        body = asking.body(request, VariableValue)
        with transaction.atomic():
            # Under a lock: what is compared here stays so until it is written.
            row = self.locked()
            etags.demand(request, VariableShape(row).data)
            return _told(store.change(row, **body))

    @operation("variables_delete", "Delete a variable", answers={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Delete a variable."""
        self.variable.delete()
        return Response(status=204)
