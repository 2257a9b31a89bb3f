"""What schemathesis is told of this API (SCHEMATHESIS_HOOKS): ids that exist, and short waits.

Nothing here hides an answer: half of the well-formed calls go to things that are there, else
every address with an id in it would only ever answer 404; and nobody waits a minute for a run.
"""

import io
import json
import os
import zipfile
import zlib
from typing import Any

import schemathesis
from hypothesis import strategies

#: Ids by the name of the path parameter, from the test that seeded them.
SEEDED: dict[str, list[Any]] = json.loads(os.environ.get("CELESTA_SEEDED", "{}"))
LONGEST_WAIT = 0.1  # seconds
#: Refusals of what fits the schema: a JSON Schema cannot say what they are about.
BEYOND_SCHEMAS = {
    "invalid_archive",  # bytes of a zip
    "invalid_document",  # names that must exist, cycles, expressions
    "bulk_refused",  # the same, of many runs that are all or none
    "invalid_backfill",  # the schedule or workflow that it is for
    "invalid_rerun",  # nodes that must be in the plan
    "empty_filter",  # any field will do
    "needs_mode",
    "needs_start_at",  # one field because of another
    "precondition_required",  # a draft is kept that the caller has not read
    "user_unknown",  # the users of this installation
    "expiry_passed",  # the moment of the call
    "invalid_params",  # the workflow's own schema
    "invalid_schedule",  # cron expressions, zones, the workflow's params
    "invalid_cursor",  # ours alone
    "artifact_name_invalid",  # bytes, not characters, and what Unicode calls a control character
}


def _archive(*workflows: dict[str, Any]) -> bytes:
    """An archive of workflows, as an export makes it."""
    made = io.BytesIO()
    manifest = {"format": "celesta-workflows", "format_version": 1, "workflows": workflows}
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("manifest.json", json.dumps(manifest))
    return made.getvalue()


#: An archive without workflows, one whose manifest lists what is not there, and any bytes at all.
schemathesis.openapi.media_type(
    "application/zip",
    strategies.one_of(
        strategies.sampled_from([_archive(), _archive({"name": "a"})]),
        strategies.binary(max_size=200),
    ),
)


@schemathesis.serializer("application/zip")
def as_zip(context: Any, value: Any) -> bytes:
    """What is no bytes is sent as its text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Send every second well-formed call to something that is there."""
    mode = case.meta.generation.mode.value if case.meta else "positive"
    chance = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if case.path_parameters and mode == "positive" and chance % 2:
        for name in case.path_parameters:
            if known := SEEDED.get(name):
                case.path_parameters[name] = known[chance % len(known)]
    return case


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Cut waits short: of awaiting, and of whatever streams and takes the same parameter."""
    bounds = {one.name: one.definition.get("schema", {}) for one in case.operation.query}
    if "timeout" not in bounds:
        return
    query = dict(case.query or {})
    try:
        seconds = float(query.get("timeout", LONGEST_WAIT + 1))
    except (TypeError, ValueError):
        return  # wrong on purpose
    if LONGEST_WAIT < seconds <= bounds["timeout"].get("maximum", seconds):
        case.query = {**query, "timeout": LONGEST_WAIT}


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep every failure but a refusal that no schema could foretell."""
    if response.status_code == 412:
        return False  # schemathesis does not count it among refusals
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    problem = response.json()
    if problem.get("detail", "").startswith("The cursor is not one of a stream"):
        return False  # as opaque as the cursors of lists
    codes = {problem.get("code"), *(error["code"] for error in problem.get("errors", ()))}
    return not codes & BEYOND_SCHEMAS
