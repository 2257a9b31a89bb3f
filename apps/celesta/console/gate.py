"""Who may open a page: staff who are members of a workspace (superusers everywhere).

A viewer sees, an operator starts and cancels, an author edits and publishes. What is in another
workspace is answered like what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponseBase

from celesta.access.errors import AccessError, NoWorkspace, RoleTooLow
from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal, for_user
from celesta.console.pages import refused, show
from celesta.runs.errors import EngineError
from celesta.workflows.errors import WorkflowError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Principal, P], HttpResponseBase]


def page(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Sign-in first, then the view with its principal; refusals become pages that say why, and so
    does what is not there: a missing row and one of another workspace look alike."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        principal = for_user(request.user)
        try:
            if not (principal.everywhere or principal.roles):
                raise NoWorkspace
            return view(request, principal, *args, **kwargs)
        except (AccessError, EngineError, WorkflowError) as error:
            return refused(request, error)
        except Http404:
            return show(request, "missing.html", {}, title="Not found", status=404)

    signed_in: Any = staff_member_required(guarded, login_url="admin:login")
    return signed_in  # type: ignore[no-any-return]


def require(principal: Principal, role: Role, workspace: Workspace) -> None:
    """Raise RoleTooLow unless the principal has at least that role in the workspace."""
    if not principal.may(role, workspace.pk):
        held = principal.roles.get(workspace.pk, "no role")
        raise RoleTooLow(
            f"This needs the role {role.value!r} in workspace {workspace.slug!r}; "
            f"you have {held!r} there."
        )


def user_of(request: HttpRequest) -> AbstractBaseUser:
    """The signed-in user; every page has one."""
    user = request.user
    assert isinstance(user, AbstractBaseUser)  # noqa: S101 - `page` lets nobody else in
    return user


def abilities(principal: Principal, workspace: Workspace) -> dict[str, bool]:
    """What the page may offer: ``may_operate`` and ``may_author``."""
    return {
        "may_operate": principal.may(Role.OPERATOR, workspace.pk),
        "may_author": principal.may(Role.AUTHOR, workspace.pk),
    }
