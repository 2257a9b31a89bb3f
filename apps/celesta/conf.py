"""The one settings dict: ``CELESTA = {...}`` in Django's settings, read nowhere else.

Every name has a default and a type, so that a misspelt or mistyped entry is told at start-up
(see :func:`problems`, which the system check of ``celesta.runs`` reports).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from django.conf import settings

DEFAULTS: Final[dict[str, Any]] = {
    # -- definitions
    "DEFINITION_MAX_BYTES": 16 * 1024 * 1024,
    "NODE_TYPES": ["celesta_worker.nodes"],  # modules with register_all(registry)
    "FUNCTION_MODULES": ["celesta_nodes"],  # looked for in every installed app
    "TEMPLATE_FOLDERS": [],  # besides the folder celesta_templates of every installed app
    "IMPORT_MAX_BYTES": 64 * 1024 * 1024,  # of an archive of workflows
    # -- data
    "MAX_OUTPUT_BYTES": 1024 * 1024,
    "MAX_PARAMS_BYTES": 1024 * 1024,
    "MAX_MAP_ITEMS": 100_000,
    "ARTIFACT_ROOT": "",  # default: <MEDIA_ROOT>/celesta
    # -- engine; times in seconds
    "QUEUE_PREFIX": "",  # put before every queue name of a document
    "DEFAULT_QUEUE": "",  # where a document's queue `default` leads; else Celery's own default
    "LEASE": 8.0,
    "KEEPER_INTERVAL": 1.0,
    "LEADER_TERM": 4.0,
    "HINT_LOST_AFTER": 5.0,
    "HINT_BACKSTOP": 600.0,
    "MAX_LOSSES": 3,
    "LANE_BUDGET": 0.050,
    "LANE_HANDBACK": 10.0,
    "HARD_TIMEOUT_GRACE": 5.0,
    "PUBLISH_TIMEOUT": 0.25,
    "DATABASE": "default",
    # -- what nodes log and print: the least level that is kept; OFF keeps nothing
    "NODE_LOG_LEVEL": "INFO",
    # -- live streams, of each web process
    "STREAMS_PER_CALLER": 50,
    "STREAM_ORIGINS": [],  # other sites whose pages may open a WebSocket: https://ops.example
    # -- calls of the API a minute, over all web processes; 0: no limit
    "THROTTLE_TOKEN": 30_000,  # for each token, and for each signed-in user
    "THROTTLE_ADDRESS": 6_000,  # for each address, of callers that are nobody
}

#: The NODE_LOG_LEVEL at which nothing is kept.
OFF: Final = "OFF"


class SettingUnknown(KeyError):
    """There is no such Celesta setting."""


def get(name: str) -> Any:
    """The value of one setting; raises :class:`SettingUnknown` for a name that is not ours."""
    if name not in DEFAULTS:
        raise SettingUnknown(name)
    return getattr(settings, "CELESTA", {}).get(name, DEFAULTS[name])


def problems() -> list[str]:
    """What is wrong with ``settings.CELESTA``, a sentence each, with the cure."""
    found: list[str] = []
    for name, value in getattr(settings, "CELESTA", {}).items():
        if name not in DEFAULTS:
            near = get_close_matches(name, DEFAULTS, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(DEFAULTS))}"
            found.append(f"CELESTA[{name!r}] is not a setting of Celesta; {cure}")
            continue
        wanted = type(DEFAULTS[name])
        allowed = (int, float) if wanted is float else (wanted,)
        if not isinstance(value, allowed) or isinstance(value, bool):
            found.append(f"CELESTA[{name!r}] must be {wanted.__name__}, not {value!r}")
    return found
