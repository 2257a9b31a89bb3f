"""Tokens and workspaces below the doors."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from celesta.access import tokens, workspaces
from celesta.access.errors import (
    NoWorkspace,
    TokenExpired,
    TokenUnknown,
    TokenWithoutMember,
    WorkspaceNotFound,
    WorkspaceUnclear,
)
from celesta.access.models import Membership, Role, Token, Workspace
from celesta.access.principals import SYSTEM, for_user


@pytest.fixture
def workspace(db: None) -> Workspace:
    return workspaces.default()


def member(role: Role, *where: Workspace) -> str:
    user = get_user_model().objects.create_user(f"{role.value}{len(where)}")
    for workspace in where:
        Membership.objects.create(user=user, workspace=workspace, role=role)
    return user.username


def user(name: str) -> object:
    return get_user_model().objects.get(username=name)


def test_only_the_digest_of_a_secret_is_kept(workspace: Workspace) -> None:
    owner = user(member(Role.ADMIN, workspace))

    token, secret = tokens.issue(owner, workspace, Role.VIEWER, "ci")

    assert secret.startswith("celesta_")
    kept = Token.objects.filter(pk=token.pk).values_list()[0]
    assert not any(secret in str(value) for value in kept)
    assert secret.startswith(token.prefix)
    assert len(secret) - len(token.prefix) > 30


def test_a_secret_gives_the_principal_of_its_role(workspace: Workspace) -> None:
    owner = user(member(Role.ADMIN, workspace))
    _, secret = tokens.issue(owner, workspace, Role.OPERATOR, "ci")

    token, principal = tokens.authenticate(secret)

    assert token.user == owner
    assert principal.may(Role.OPERATOR, workspace.pk)
    assert not principal.may(Role.AUTHOR, workspace.pk)
    assert not principal.everywhere


def test_a_superusers_token_stays_in_its_workspace(workspace: Workspace) -> None:
    root = get_user_model().objects.create_superuser("root")
    other = Workspace.objects.create(slug="other", name="Other")

    _, principal = tokens.authenticate(tokens.issue(root, workspace, Role.ADMIN, "ci")[1])

    assert principal.may(Role.ADMIN, workspace.pk)
    assert not principal.may(Role.VIEWER, other.pk)


def test_unknown_expired_and_orphaned_tokens_are_refused(workspace: Workspace) -> None:
    owner = get_user_model().objects.get(username=member(Role.ADMIN, workspace))
    soon = timezone.now() + timedelta(hours=1)
    row, old = tokens.issue(owner, workspace, Role.VIEWER, "old", soon)
    Token.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    _, good = tokens.issue(owner, workspace, Role.VIEWER, "new")

    with pytest.raises(TokenUnknown):
        tokens.authenticate("celesta_nothing")
    with pytest.raises(TokenUnknown):
        tokens.authenticate("celesta_\ud800")
    with pytest.raises(TokenExpired):
        tokens.authenticate(old)
    owner.is_active = False
    owner.save()
    with pytest.raises(TokenWithoutMember):
        tokens.authenticate(good)


def test_use_is_recorded_once_a_minute(
    workspace: Workspace, django_assert_num_queries: object
) -> None:
    owner = user(member(Role.ADMIN, workspace))
    token, secret = tokens.issue(owner, workspace, Role.VIEWER, "ci")

    tokens.authenticate(secret)
    first = Token.objects.get(pk=token.pk).last_used_at
    tokens.authenticate(secret)
    assert Token.objects.get(pk=token.pk).last_used_at == first

    hour_ago = timezone.now() - timedelta(hours=1)
    Token.objects.update(last_used_at=hour_ago)
    tokens.authenticate(secret)
    used = Token.objects.get(pk=token.pk).last_used_at
    assert used is not None
    assert used > hour_ago


def test_the_workspace_is_the_named_the_only_or_the_default_one(workspace: Workspace) -> None:
    blue = Workspace.objects.create(slug="blue", name="Blue")
    red = Workspace.objects.create(slug="red", name="Red")
    in_blue = for_user(user(member(Role.VIEWER, blue)))
    in_two = for_user(user(member(Role.VIEWER, blue, workspace)))
    unclear = for_user(user(member(Role.AUTHOR, blue, red)))
    nowhere = for_user(user(member(Role.ADMIN)))

    assert workspaces.choose(in_blue) == blue
    assert workspaces.choose(in_two) == workspace
    assert workspaces.choose(in_two, "blue") == blue
    assert workspaces.choose(SYSTEM) == workspace
    assert workspaces.choose(SYSTEM, "red") == red
    with pytest.raises(WorkspaceNotFound):
        workspaces.choose(in_two, "red")
    with pytest.raises(WorkspaceUnclear):
        workspaces.choose(unclear)
    with pytest.raises(NoWorkspace):
        workspaces.choose(nowhere)


def test_the_default_workspace_comes_back_when_it_was_deleted(workspace: Workspace) -> None:
    workspace.delete()

    assert workspaces.default().slug == "default"
