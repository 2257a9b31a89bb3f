"""Our models in the project's admin, stock or Unfold: registered when Django looks for `admin`."""

from __future__ import annotations

from celesta.console.admin import access, history, members, schedules, variables

__all__ = ["access", "history", "members", "schedules", "variables"]
