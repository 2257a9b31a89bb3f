"""Every refusal at a door; the docstring is the sentence a caller reads."""

from __future__ import annotations

from typing import ClassVar


class AccessError(Exception):
    """The caller may not do that."""

    code: ClassVar[str] = "access_denied"
    status: ClassVar[int] = 403

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or (self.__doc__ or "").strip()
        super().__init__(self.detail)


class TokenUnknown(AccessError):
    """The token is not known; it may have been deleted. Ask an admin for a new one."""

    code = "invalid_token"
    status = 401


class TokenExpired(AccessError):
    """The token has expired; ask an admin for a new one."""

    code = "token_expired"
    status = 401


class TokenWithoutMember(AccessError):
    """The token's user is disabled or no longer a member of its workspace."""

    code = "token_revoked"
    status = 401


class RoleTooLow(AccessError):
    """The role held in this workspace does not allow that."""

    code = "role_too_low"


class NoWorkspace(AccessError):
    """You are not a member of any workspace; ask an admin to add you."""

    code = "no_workspace"


class WorkspaceNotFound(AccessError):
    """There is no such workspace, or you are not a member of it."""

    code = "workspace_not_found"
    status = 404


class WorkspaceUnclear(AccessError):
    """You are a member of several workspaces; say which in the X-Celesta-Workspace header."""

    code = "workspace_unclear"
    status = 400


class SuperusersOnly(AccessError):
    """Only superusers make and delete workspaces."""

    code = "superusers_only"


class WorkspaceInUse(AccessError):
    """The workspace has workflows, so it stays; runs keep their workflow."""

    code = "workspace_in_use"
    status = 409


class UserUnknown(AccessError):
    """There is no such user; members need an account first."""

    code = "user_unknown"
    status = 400


class ExpiryPassed(AccessError):
    """The token would have expired already; write a moment that is still to come."""

    code = "expiry_passed"
    status = 400


class TokenOver(AccessError):
    """The token has expired, so there is nothing to go on with; make a new one instead."""

    code = "token_over"
    status = 409


class TokenRotated(AccessError):
    """The token has a successor already; rotate that one, or make a new token."""

    code = "token_rotated"
    status = 409


class TokenOfAnother(AccessError):
    """Only its own user rotates a token, for whom the new one acts too; an admin may delete it."""

    code = "token_of_another"


class ScopeMissing(AccessError):
    """The token does not have the scope for that."""

    code = "scope_missing"


class WorkflowOutOfReach(AccessError):
    """The token is limited to some workflows; this is not about one of them alone."""

    code = "workflow_out_of_reach"


class ScopeUnknown(AccessError):
    """There is no such scope."""

    code = "invalid_scope"
    status = 400
