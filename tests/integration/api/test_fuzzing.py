"""Whatever is sent to any endpoint, the answer is as the schema says: schemathesis, all checks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from celesta.access import tokens, workspaces
from celesta.access.models import Membership, Role
from celesta.access.principals import for_user
from celesta.artifacts import store
from celesta.engine.start import start_run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule
from celesta.vault.models import Variable
from celesta.workflows import publishing
from tests.integration.api.conftest import DOCUMENT
from tests.processes import PATH
from tests.webs import WebProcess

SEED = 7
#: Of each thing, so that some outlive the calls that delete them.
EACH = 6
#: Ids that exist stay clear of those that schemathesis likes (0, 1, 2**31...), ours above all.
FIRST_ID = 7_000


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[WebProcess]:
    artifacts = str(tmp_path / "artifacts")
    process = WebProcess("web", tmp_path, {"ARTIFACT_ROOT": artifacts, "LOG_LEVEL": "ERROR"})
    yield process.start()
    process.stop()


@pytest.fixture
def seeded(transactional_db: None, settings: Any, tmp_path: Path) -> dict[str, Any]:
    """Something of everything, and the token of an admin, who may do all."""
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path / "artifacts")}
    with connection.cursor() as cursor:
        for table in ("celesta_token", "celesta_schedule", "celesta_artifact"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {FIRST_ID})")
    workspace = workspaces.default()
    user = get_user_model().objects.create_superuser("root")
    version = publishing.publish_document(workspace, DOCUMENT, by=user).version
    principal, runs, artifacts = for_user(user), [], []
    for number in range(EACH):
        run = start_run(version, {"order_id": number}, principal=principal).run
        saved = store.save(str(run.pk), 0, 0, "fetch", 1, workspace.pk, "a.txt", b"a")
        runs.append(str(run.pk))
        artifacts.append(saved["artifact"])
    made = [
        schedules.save(
            Schedule(
                workspace=workspace, workflow=version.workflow, name=f"s{number}",
                every=3600, params={"order_id": 1},
            )
        )
        for number in range(EACH)
    ]  # fmt: skip
    names = [f"v{number}" for number in range(EACH)]
    for name in names:
        Variable.objects.create(workspace=workspace, name=name, value=1)
    users = [f"u{number}" for number in range(EACH)]
    for name in users:
        member = get_user_model().objects.create_user(name)
        Membership.objects.create(workspace=workspace, user=member, role=Role.VIEWER)
    spare = [tokens.issue(user, workspace, Role.VIEWER, "spare")[0].pk for _ in range(EACH)]
    return {
        "secret": tokens.issue(user, workspace, Role.ADMIN, "fuzzing")[1],
        "ids": {
            "name": [version.workflow.name, *names],
            "number": [1],
            "run_id": runs,
            "node": ["fetch", "ship"],
            "artifact_id": artifacts,
            "schedule_id": [schedule.pk for schedule in made],
            "token_id": spare,
            "slug": [workspace.slug],
            "user": users,
        },
    }


def test_schemathesis_finds_nothing(
    web: WebProcess, seeded: dict[str, Any], tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{web.url}/api/schema/"),
        *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
        *("--seed", str(SEED), "--max-examples", os.environ.get("CELESTA_FUZZ", "6")),
        *("--header", f"Authorization: Bearer {seeded['secret']}", "--request-timeout", "30"),
        *("--generation-database", "none", "--no-color", "--warnings", "off"),
        # NUL characters fit any schema of a string; test_bad_input.py sends them everywhere.
        *("--generation-allow-x00", "false"),
    ]
    variables = {
        "PYTHONPATH": PATH,
        "SCHEMATHESIS_HOOKS": "tests.integration.api.fuzzing",
        "CELESTA_SEEDED": orjson.dumps(seeded["ids"]).decode(),
    }
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **variables}, check=False,
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{web.output()[-3000:]}"
