"""Going on through faults: a thread of the keeper ends only when it is told to."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import django.db
import psycopg

from celesta.engine.leader import LeadLost

logger = logging.getLogger("celesta.keeper")

#: What the database's absence looks like, on the hot connection and on Django's.
DATABASE_ERRORS: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    django.db.OperationalError,
    django.db.InterfaceError,
)
#: A database that ``migrate`` has not reached yet: workers are often started first.
NOT_MIGRATED: Final = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0


class Weather:
    """Whether the database answers: told once when it stops, and once when it does again."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._until = 0.0

    @property
    def is_bad(self) -> bool:
        """True while it is too early to try again."""
        return time.monotonic() < self._until

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around a round of work. Lets nothing out but the loss of the lead."""
        trying = not self.is_bad
        try:
            yield
        except LeadLost:
            raise
        except DATABASE_ERRORS as error:
            if not self._pause:
                logger.warning("the database cannot be reached (%s); trying again", _line(error))
            self._worse()
        except NOT_MIGRATED as error:
            if not self._pause:
                logger.warning(
                    "the database lacks what this release needs (%s); run `manage.py migrate`, "
                    "nodes wait until then",
                    _line(error),
                )
            self._worse()
        except Exception:
            # A fault of ours, or of what we call: told in full. The leases of healthy slots and the
            # timers of all runs depend on this thread, so it goes on.
            logger.exception("the keeper met an unexpected error; it goes on")
            self._worse()
        else:
            if trying and self._pause:
                logger.info("the database answers again")
                self._pause = 0.0

    def _worse(self) -> None:
        self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._pause * 2))
        self._until = time.monotonic() + self._pause


def _line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
