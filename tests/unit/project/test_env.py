"""Environment helpers: right values are read, wrong ones refused with what to write."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project import env


@pytest.fixture(autouse=True)
def no_published_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("CELESTA_HOME", str(tmp_path))
    env.published.cache_clear()
    yield tmp_path
    env.published.cache_clear()


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False)])
def test_switch(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("SWITCH", text)
    assert env.env_bool("SWITCH") is value


def test_switch_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", "maybe")
    with pytest.raises(ImproperlyConfigured, match="SWITCH='maybe' is no switch: write SWITCH=1"):
        env.env_bool("SWITCH")


@pytest.mark.parametrize("text", ["seven", "-1", "1.5"])
def test_number_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("NUMBER", text)
    with pytest.raises(ImproperlyConfigured, match="number of 0 or more: write NUMBER=5"):
        env.env_int("NUMBER", 5)


def test_secret_is_demanded_outside_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY must be at least 32"):
        env.env_secret("SECRET_KEY", dev=False)
    assert len(env.env_secret("SECRET_KEY", dev=True)) >= 32


def test_short_secret_refused_even_in_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "changeme")
    with pytest.raises(ImproperlyConfigured):
        env.env_secret("SECRET_KEY", dev=True)


def test_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:p%40ss@db:6543/flow?sslmode=require")
    assert env.env_database() == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "flow",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize("url", ["mysql://root@db/x", "db:5432", "postgresql://[/x"])
def test_wrong_database_url_says_what_to_write(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.env_database()


def test_no_database_url_names_make_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(ImproperlyConfigured, match="run `make up`"):
        env.env_database()


def test_valkey_means_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", "valkey://:p@host:1/2")
    assert env.env_broker() == "redis://:p@host:1/2"


def test_published_values_stand_behind_the_environment(
    monkeypatch: pytest.MonkeyPatch, no_published_values: Path
) -> None:
    (no_published_values / "environment").write_text("ONE=file\nTWO=a=b\n")
    monkeypatch.setenv("ONE", "shell")
    assert (env.env("ONE"), env.env("TWO")) == ("shell", "a=b")
