"""What the API itself refuses, before anything else is asked; a docstring is what callers read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from celesta.graph.problems import Problem


class Refusal(Exception):
    """The request cannot be carried out."""

    code: ClassVar[str] = "bad_request"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", problems: Iterable[Problem] = ()) -> None:
        self.detail = detail or (self.__doc__ or "").strip()
        self.problems = list(problems)
        super().__init__(self.detail)


class MalformedBody(Refusal):
    """The body is not what its content type says."""

    code = "malformed_body"


class BodyTooLarge(Refusal):
    """The body is larger than this address takes."""

    code = "body_too_large"
    status = 413


class InvalidQuery(Refusal):
    """A query parameter has a value that cannot be used."""

    code = "invalid_query"


class InvalidArtifactName(Refusal):
    """The name of an artifact must be a plain file name."""

    code = "artifact_name_invalid"


class PathInvalid(Refusal):
    """An address of the API leads nowhere else: no '..' in it, however it is written."""

    code = "invalid_path"


class InvalidCursor(Refusal):
    """The cursor is not one of ours; follow the 'next' address of a page instead of making one."""

    code = "invalid_cursor"


class InvalidIdempotencyKey(Refusal):
    """The Idempotency-Key must be 1 to 255 printable ASCII characters."""

    code = "invalid_idempotency_key"


class NotFound(Refusal):
    """There is nothing of that name here."""

    code = "not_found"
    status = 404


class NameTaken(Refusal):
    """Something of that name is there already."""

    code = "name_taken"
    status = 409


class LengthRequired(Refusal):
    """Send the body with a Content-Length, not in chunks."""

    code = "length_required"
    status = 411


class PreconditionFailed(Refusal):
    """It has changed since you read it; nothing was done. Read it again, then decide."""

    code = "precondition_failed"
    status = 412


class PreconditionRequired(Refusal):
    """Send If-Match with the ETag of the draft that you have read; '*' overwrites whatever is kept.

    Else what somebody else has written would be lost unseen.
    """

    code = "precondition_required"
    status = 428


class BulkRefused(Refusal):
    """Some of the runs cannot be started, so none was; 'errors' says which and why."""

    code = "bulk_refused"


class UpgradeRequired(Refusal):
    """This address is for WebSockets (and needs ASGI); 'stream/' has the same over plain HTTP."""

    code = "upgrade_required"
    status = 426
