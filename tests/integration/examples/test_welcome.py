"""The sign-in link lets the administrator in, once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from project.demo import accounts, welcome
from project.demo.problems import DemoProblem

RUN = UUID("01900000-0000-7000-8000-00000000000a")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("CELESTA_HOME", str(tmp_path / "home"))
    settings.PUBLIC_URL = "http://testserver"


@pytest.fixture
def admin() -> User:
    return accounts.ensure_admin()


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_link_signs_in_and_leads_to_the_run(admin: User) -> None:
    client = Client()
    answer = client.get(welcome.link(admin, RUN))
    assert answer.status_code == 302
    assert str(RUN) in answer["Location"]
    assert is_signed_in(client)
    assert "no-store" in answer["Cache-Control"]


def test_a_second_use_is_refused_kindly(admin: User) -> None:
    address = welcome.link(admin, RUN)
    Client().get(address)
    other = Client()
    answer = other.get(address)
    assert answer.status_code == 410
    assert "it was used" in answer.content.decode()
    assert "make demo" in answer.content.decode()
    assert not is_signed_in(other)


def test_the_next_link_is_good_again(admin: User) -> None:
    Client().get(welcome.link(admin, RUN))
    admin.refresh_from_db()
    assert Client().get(welcome.link(admin, RUN)).status_code == 302


def test_of_two_uses_at_once_one_wins(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given both have read the account before either has moved its last sign-in on
    address = welcome.link(admin, RUN)
    move_on = welcome._moved_on

    def after_another(user: User) -> bool:
        assert move_on(user)
        return move_on(user)

    monkeypatch.setattr(welcome, "_moved_on", after_another)
    assert Client().get(address).status_code == 410


def test_a_preview_does_not_use_the_link_up(admin: User) -> None:
    address = welcome.link(admin, RUN)
    assert Client().head(address).status_code == 405
    assert Client().get(address).status_code == 302


def test_an_hour_later_it_is_over(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    address = welcome.link(admin, RUN)
    monkeypatch.setattr(welcome, "MAX_AGE", -1)
    answer = Client().get(address)
    assert answer.status_code == 410
    assert "one hour" in answer.content.decode()


@pytest.mark.parametrize("change", [lambda t: t[:-3], lambda t: "x" + t, lambda _: "nonsense"])
def test_a_link_that_was_changed_is_refused(admin: User, change: object) -> None:
    token = welcome.link(admin, RUN).rstrip("/").rsplit("/", 1)[-1]
    answer = Client().get(f"/welcome/{change(token)}/")  # type: ignore[operator]
    assert answer.status_code == 410
    assert "copy it whole" in answer.content.decode()


def test_another_signature_of_this_site_is_no_link(admin: User) -> None:
    token = welcome.link(admin, RUN).rstrip("/").rsplit("/", 1)[-1]
    told = signing.TimestampSigner(salt=welcome.SALT).unsign(token)
    with pytest.raises(welcome.LinkBroken):
        welcome.admit(signing.TimestampSigner(salt="something.else").sign(told))


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}])
def test_who_may_no_longer_administer_is_not_let_in(admin: User, change: dict[str, bool]) -> None:
    address = welcome.link(admin, RUN)
    User.objects.filter(pk=admin.pk).update(**change)
    assert Client().get(address).status_code == 410


def test_a_sign_in_by_password_ends_the_link(admin: User) -> None:
    address = welcome.link(admin, RUN)
    User.objects.filter(pk=admin.pk).update(last_login=timezone.now() - timedelta(days=1))
    assert Client().get(address).status_code == 410


def test_the_administrator_is_made_once_with_the_password_in_the_file(tmp_path: Path) -> None:
    made = accounts.ensure_admin()
    kept = tmp_path / "home" / "secrets" / "admin-password"
    assert made.check_password(kept.read_text())
    assert kept.stat().st_mode & 0o077 == 0
    User.objects.filter(pk=made.pk).update(email="me@example.com")
    assert accounts.ensure_admin().email == "me@example.com"
    assert User.objects.count() == 1


def test_an_ordinary_account_of_that_name_is_not_raised() -> None:
    User.objects.create_user("admin", password="x")
    with pytest.raises(DemoProblem, match="no active superuser"):
        accounts.ensure_admin()
    assert not User.objects.get().is_superuser
