"""The reference project with the stock admin: what a team without Unfold has."""

from project.settings import *  # noqa: F403

INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith("unfold")]  # noqa: F405
