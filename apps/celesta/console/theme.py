"""Settings for Unfold with which the admin is Celesta's own.

Only the reference project uses them; in a team's project the admin stays the team's.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise


def _entry(title: str, icon: str, view: str) -> dict[str, str | Promise]:
    return {"title": title, "icon": icon, "link": reverse_lazy(view)}


def in_use() -> bool:
    """True when the project took these settings: the admin's own menu then has our entries."""
    return getattr(settings, "UNFOLD", None) is UNFOLD


_BEAT: Final = "django_celery_beat_periodictask"

UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Celesta",
    "SITE_HEADER": "Celesta",
    "SITE_SYMBOL": "account_tree",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("celesta/favicon.svg")}
    ],
    "SITE_URL": reverse_lazy("celesta_console:dashboard"),
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "#f4f3fe", "100": "#ebe9fd", "200": "#d9d5fb", "300": "#bdb4f7",
            "400": "#9b8bf0", "500": "#8876ea", "600": "#5b4bdb", "700": "#4d3cc0",
            "800": "#40339e", "900": "#372e80", "950": "#211b52",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    _entry("Dashboard", "monitoring", "celesta_console:dashboard"),
                    _entry("Runs", "play_circle", "celesta_console:runs"),
                    _entry("Workflows", "account_tree", "celesta_console:workflows"),
                    _entry("Templates", "auto_awesome_mosaic", "celesta_console:templates"),
                    _entry("Workers", "dns", "celesta_console:workers"),
                    _entry("Dead letters", "report", "celesta_console:dead-letters"),
                    _entry("Schedules", "event", "admin:celesta_triggers_schedule_changelist"),
                ]
            },
            {
                "title": "Workspace",
                "separator": True,
                "items": [
                    _entry("Variables", "data_object", "admin:celesta_vault_variable_changelist"),
                    _entry("Tokens", "key", "admin:celesta_access_token_changelist"),
                    _entry("Workspaces", "groups", "admin:celesta_access_workspace_changelist"),
                    _entry("Members", "badge", "admin:celesta_access_membership_changelist"),
                ],
            },
            {
                "title": "System",
                "separator": True,
                "items": [
                    _entry("Users", "person", "admin:auth_user_changelist"),
                    _entry("Celery beat", "timer", f"admin:{_BEAT}_changelist"),
                    _entry("All of the admin", "apps", "admin:index"),
                ],
            },
        ],
    },
}  # fmt: skip
