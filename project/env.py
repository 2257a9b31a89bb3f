"""Reading the environment: every helper fails loudly and says what to write.

A value is taken from the process environment, else from the file that `make up` keeps in its
private directory (`.celesta/environment`), so that `manage.py` and `celery -A project` in a
second terminal talk to the servers that `make up` started.
"""

import os
from functools import cache
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from project import ROOT

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def home() -> Path:
    """Return the private directory of the embedded servers (`CELESTA_HOME`, else `.celesta`)."""
    return Path(os.environ.get("CELESTA_HOME") or ROOT / ".celesta").expanduser().absolute()


@cache
def published() -> dict[str, str]:
    """Return what a running `make up` has published for other terminals: `NAME=value` lines."""
    try:
        lines = (home() / "environment").read_text().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ImproperlyConfigured(f"{error}: run as the user that ran `make up`.") from error
    return dict(line.split("=", 1) for line in lines if "=" in line)


def env(name: str, default: str | None = None) -> str:
    """Return the value of `name`; raise ImproperlyConfigured if it has none and no default."""
    value = os.environ.get(name, published().get(name, default))
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set: write {name}=... in the environment.")
    return value


def env_bool(name: str, default: bool = False) -> bool:
    """Return a switch: 1/true/yes/on or 0/false/no/off, in any case."""
    value = env(name, str(default)).strip().lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is no switch: write {name}=1 or {name}=0.")
    return value in TRUE


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number that is not below `least`."""
    value = env(name, str(default)).strip()
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not a whole number of {least} or more: write {name}={default}."
        )
    return number


def env_list(name: str, default: str = "") -> list[str]:
    """Return the values of a comma-separated list, without empty ones."""
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_secret(name: str, *, dev: bool) -> str:
    """Return a secret of at least 32 characters; in development a fixed one may stand in."""
    value = env(name, "development-only-" * 4 if dev else "")
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"{name} must be at least 32 random characters outside development: write "
            f'{name}=$(python -c "import secrets; print(secrets.token_urlsafe(48))").'
        )
    return value


def env_database(name: str = "DATABASE_URL") -> dict[str, object]:
    """Return Django's settings of the PostgreSQL database that a URL names."""
    url = _server_url(name, ("postgresql", "postgres"), "postgresql://user:password@host/name")
    try:
        parts = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"{name} cannot be read: {str(error).strip()}.") from error
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "postgres"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": parts,
    }


def env_broker(name: str = "BROKER_URL") -> str:
    """Return Celery's broker URL; `valkey://` means what `redis://` means."""
    schemes = ("redis", "rediss", "valkey", "valkeys", "amqp", "amqps")
    url = _server_url(name, schemes, "redis://:password@host:6379/0")
    scheme, rest = url.split("://", 1)
    return f"{ {'valkey': 'redis', 'valkeys': 'rediss'}.get(scheme, scheme) }://{rest}"


def _server_url(name: str, schemes: tuple[str, ...], example: str) -> str:
    """Return the URL in `name` if its scheme is one of `schemes`."""
    url = env(name, "")
    if not url:
        raise ImproperlyConfigured(
            f"{name} is not set: run `make up` for private servers, or write {name}={example}."
        )
    if url.partition("://")[0] not in schemes:
        raise ImproperlyConfigured(
            f"{name} must begin with {', '.join(f'{scheme}://' for scheme in schemes)}: "
            f"write {name}={example}."
        )
    return url
