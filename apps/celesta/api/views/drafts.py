"""The draft of a workflow: read, save without overwriting anybody, discard, publish."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking, etags
from celesta.api.parsers import DOCUMENT_PARSERS
from celesta.api.refusals import MalformedBody, NotFound, PreconditionFailed, PreconditionRequired
from celesta.api.schema.operations import DOCUMENT, operation
from celesta.api.shapes.drafts import DraftShape, PublishDraft
from celesta.api.shapes.workflows import Published
from celesta.api.views.workflows import WorkflowBase, document_of, published
from celesta.workflows import drafts
from celesta.workflows.drafts import DraftChanged, Opened
from celesta.workflows.models import Workflow


class DraftView(WorkflowBase):
    """The draft of one workflow."""

    parser_classes = DOCUMENT_PARSERS
    roles = {"PUT": Role.AUTHOR, "DELETE": Role.AUTHOR}

    @operation(
        "drafts_get", "Read the draft, or what is published when there is none",
        answers={200: DraftShape, 304: None}, parameters=[etags.IF_NONE_MATCH],
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Any:
        """Read the draft; its ETag is for If-Match."""
        return _told(request, self.workflow, drafts.opened(self.workflow))

    @operation(
        "drafts_save", "Save a draft, making the workflow if need be",
        body=DOCUMENT, answers={200: DraftShape, 201: DraftShape}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def put(self, request: Request, name: str) -> Any:
        """Keep the text, whatever is wrong with it; nothing that was not read is overwritten."""
        text = document_of(request).source
        if "\x00" in text:
            raise MalformedBody("The text has a NUL character.")
        workflow, is_new = self._workflow(request, name, text)
        if not is_new:
            seen = drafts.opened(workflow)
            _demand(request, workflow, seen)
            if seen.kept and seen.text != text and "If-Match" not in request.headers:
                raise PreconditionRequired
            try:
                drafts.save(workflow, text, seen.revision, by=request.user, rename=False)
            except DraftChanged as error:
                raise _changed(error) from error
        return _told(request, workflow, drafts.opened(workflow), 201 if is_new else 200)

    @operation(
        "drafts_discard", "Throw the draft away, and the workflow if it is nothing else",
        answers={204: None}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def delete(self, request: Request, name: str) -> Response:
        """Discard the draft."""
        try:
            drafts.discard(self.workflow, revision=_revision(request, self.workflow))
        except DraftChanged as error:
            raise _changed(error) from error
        return Response(status=204)

    def _workflow(self, request: Request, name: str, text: str) -> tuple[Workflow, bool]:
        """The workflow of that name, made with this draft when there is none, and whether it was.

        Raises PreconditionFailed for a workflow that the caller has read and that is gone.
        """
        if "If-Match" in request.headers:
            try:
                return self.workflow, False
            except NotFound as error:
                raise PreconditionFailed from error
        drafts.check_name(name)
        return drafts.begin(self.workspace, name, text, by=request.user)


class DraftPublishView(WorkflowBase):
    """Makes the draft the newest version."""

    roles = {"POST": Role.AUTHOR}

    @operation(
        "drafts_publish", "Publish the draft with a note",
        body=PublishDraft, answers={200: Published, 201: Published}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Publish what is kept; 200 and the current version when there is nothing to publish."""
        body = asking.body(request, PublishDraft)
        revision, note = _revision(request, self.workflow), body["note"]
        try:
            return published(
                drafts.publish(self.workflow, by=request.user, note=note, revision=revision)
            )
        except DraftChanged as error:
            raise _changed(error) from error


def _tag(workflow: Workflow, draft: Opened) -> str:
    # The workflow's own id: one of the same name, made anew, counts its revisions from the start.
    return f'"{workflow.pk}-{draft.revision}"'


def _told(request: Request, workflow: Workflow, draft: Opened, status: int = 200) -> Any:
    shown = {"workflow": workflow, "draft": draft}
    response = Response(DraftShape(shown).data, status=status)
    return etags.tagged(request, response, _tag(workflow, draft))


def _demand(request: Request, workflow: Workflow, seen: Opened) -> None:
    asked = request.headers.get("If-Match")
    if asked is not None and not etags.names(asked, _tag(workflow, seen)):
        raise _changed(DraftChanged(seen))


def _revision(request: Request, workflow: Workflow) -> int | None:
    """The revision that must still be there, None when any will do; raises PreconditionFailed."""
    if request.headers.get("If-Match") in (None, etags.ANY):
        return None
    seen = drafts.opened(workflow)
    _demand(request, workflow, seen)
    return seen.revision


def _changed(error: DraftChanged) -> PreconditionFailed:
    """What the second of two authors reads."""
    by, at = error.theirs.by, error.theirs.at
    who = f" (by {by} at {at:%Y-%m-%d %H:%M:%S} UTC)" if by and at else ""
    return PreconditionFailed(
        f"The draft was saved or published since you read it{who}; nothing was done. "
        "Read it again, bring both together, and save with its new ETag."
    )
