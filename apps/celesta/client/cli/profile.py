"""Where Celesta is and with which token: from the environment, else from the user's profile."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from celesta.client.errors import CelestaError


@dataclass(frozen=True, slots=True)
class Profile:
    """What is needed to call."""

    url: str
    token: str
    workspace: str = ""


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """The profile file, in the user's directory for configuration."""
    if own := environ.get("CELESTA_PROFILE"):
        return Path(own)
    home = environ.get("XDG_CONFIG_HOME") or environ.get("APPDATA") or str(Path.home() / ".config")
    return Path(home) / "celesta" / "profile.json"


def load(environ: Mapping[str, str] = os.environ) -> Profile:
    """The environment's CELESTA_URL, CELESTA_TOKEN, CELESTA_WORKSPACE over the file's values.

    Raises CelestaError when there is no address, or others could read the token.
    """
    kept = _kept(path(environ))
    profile = Profile(
        environ.get("CELESTA_URL") or kept.get("url", ""),
        environ.get("CELESTA_TOKEN") or kept.get("token", ""),
        environ.get("CELESTA_WORKSPACE") or kept.get("workspace", ""),
    )
    if not profile.url:
        raise CelestaError("Set CELESTA_URL and CELESTA_TOKEN, or run: celesta login URL")
    return profile


def save(profile: Profile, environ: Mapping[str, str] = os.environ) -> Path:
    """Write the file for its owner's eyes only, and say where."""
    file = path(environ)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "x", encoding="utf-8", opener=_private) as opened:
        json.dump(asdict(profile), opened, indent=1)
    fresh.replace(file)
    return file


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _kept(file: Path) -> dict[str, str]:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CelestaError(f"{file} cannot be read: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise CelestaError(f"Others can read the token in {file}; run: chmod 600 {file}")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CelestaError(f"{file} is not JSON; run: celesta login URL") from error
    return found if isinstance(found, dict) else {}
