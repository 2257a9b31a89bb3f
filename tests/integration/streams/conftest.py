"""Web processes and workers on the test's database, and a caller with a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from celesta.access import tokens
from celesta.access.models import Membership, Role, Workspace
from tests.faults.conftest import (
    WORKLOAD,
    _close_hot_connection,  # noqa: F401
    _django_db_helper,  # noqa: F401
    _known_functions,  # noqa: F401
)
from tests.faults.conftest import stage as stage  # a fixture
from tests.webs import WebProcess

Caller = Callable[..., str]


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., WebProcess]]:
    """`web()` starts a web process; it ends with the test."""
    started: list[WebProcess] = []

    def start(**env: str) -> WebProcess:
        name = f"web{len(started) + 1}"
        # Streams stay open: with more patience each test would end so much later.
        started.append(WebProcess(name, tmp_path, {**WORKLOAD, **env}, grace=1))
        return started[-1].start()

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def token_of(transactional_db: None) -> Caller:
    """A token of a new member of a workspace: ``token_of(role, workspace)``."""

    def make(role: Role = Role.VIEWER, slug: str = "default", scopes: tuple[str, ...] = ()) -> str:
        workspace, _ = Workspace.objects.get_or_create(slug=slug, defaults={"name": slug})
        users: Any = get_user_model().objects
        user = users.create_user(f"user-{uuid4().hex[:8]}", password="secret", is_staff=True)
        Membership.objects.create(workspace=workspace, user=user, role=role)
        return tokens.issue(user, workspace, role, "stream", scopes=scopes)[1]

    return make


@pytest.fixture
def token(token_of: Caller) -> str:
    """A viewer's token."""
    return token_of()
