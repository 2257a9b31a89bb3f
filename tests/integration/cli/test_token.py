"""``manage.py celesta_token``."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from celesta.access import tokens
from celesta.access.models import Membership, Role, Token, Workspace
from tests.integration.cli.conftest import Result

Manage = Callable[..., Result]


@pytest.fixture
def ann(workspace: Workspace) -> str:
    user = get_user_model().objects.create_user("ann")
    Membership.objects.create(user=user, workspace=workspace, role=Role.AUTHOR)
    return "ann"


def test_the_secret_alone_is_printed(manage: Manage, ann: str) -> None:
    result = manage(
        "celesta_token", "create", "--user", ann, "--role", "author", "--expires", "90d"
    )

    token, principal = tokens.authenticate(result.text.strip())
    assert token.user.get_username() == "ann"
    assert principal.may(Role.AUTHOR, token.workspace_id)
    assert token.expires_at is not None
    left = token.expires_at - timezone.now()
    assert timedelta(days=89) < left < timedelta(days=91)


def test_it_is_listed_without_its_secret_and_deleted(manage: Manage, ann: str) -> None:
    secret = manage("celesta_token", "create", "--user", ann, "--name", "ci").text.strip()

    listed = manage("celesta_token", "list")
    assert "ci" in listed.text
    assert secret not in listed.text
    [row] = manage("celesta_token", "list", "--json").json
    assert manage("celesta_token", "delete", str(row["id"])).code == 0
    assert not Token.objects.exists()
    assert manage("celesta_token", "delete", str(row["id"])).code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--user", "nobody"], "no user 'nobody'"),
        (["--user", "ann", "--role", "admin"], "[role_too_low]"),
        (["--user", "ann", "--expires", "soon"], "90d"),
        (["--user", "ann", "--expires", "0d"], "90d"),
    ],
)
def test_what_cannot_be(manage: Manage, ann: str, words: list[str], told: str) -> None:
    result = manage("celesta_token", "create", *words)

    assert result.code == 1
    assert told in result.error
    assert not Token.objects.exists()
