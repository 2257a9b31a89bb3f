"""Up to which id a table is complete, for whoever follows it by a cursor.

Ids of events and log lines are given out before their rows are committed, so a later id can be seen
before an earlier one. A cursor that has passed an id would never come back for it. So nobody passes
a *young gap*: missing ids before a row so young that their transaction may still be open. After
``SETTLED_AFTER`` a gap is what a transaction left that was rolled back.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connections

from celesta import conf
from celesta.runs.connection import one

#: Seconds after which a row was committed or never will be: no transaction of ours lives as long.
SETTLED_AFTER: Final = 3.0
#: How many ids behind the newest one are searched for one that is still to be committed.
GAP_WINDOW: Final = 20_000
#: Ids looked at in one step forward.
STEP: Final = 20_000

LAST_ID: Final = 2**63 - 1

#: The tables that can be followed: the column of ids, and the one of the database's own time.
FOLLOWED: Final = {
    "celesta_event": ("id", "at"),
    "celesta_log_line": ("number", "stored_at"),
}


def before_young_gap(table: str, last: int) -> int:
    """The highest id up to ``last`` with no young gap before it, as Django's connection sees it."""
    with connections[conf.get("DATABASE")].cursor() as cursor:
        cursor.execute(*_horizon(table, max(0, last - GAP_WINDOW), last, known=False))
        return int(cursor.fetchone()[0])


def advance(table: str, known: int) -> tuple[int, bool]:
    """The highest id with no young gap between it and ``known``, an earlier answer; one query.

    The second value is true when there are rows behind it: a young gap holds them back.
    """
    upto, newest = one(*_horizon(table, known, LAST_ID, known=True))
    return int(upto), newest > upto


def present(table: str) -> int:
    """The highest id with no young gap before it, for who has no earlier answer."""
    column, _ = FOLLOWED[table]
    (last,) = one(f"SELECT coalesce(max({column}), 0) FROM {table}")  # noqa: S608 - our names
    return int(one(*_horizon(table, max(0, last - GAP_WINDOW), last, known=False))[0])


def _horizon(table: str, above: int, last: int, *, known: bool) -> tuple[str, dict[str, Any]]:
    """Asks, of the rows in ``(above, last]``, for the last before the first young gap; and for the
    last of all.

    Whether ids up to ``above`` itself are complete is ``known``; where it is not, the first row
    after it is taken as it is. Relies on an index of the ids.
    """
    column, at = FOLLOWED[table]
    first = "%(above)s::bigint" if known else f"{column} - 1"
    query = (
        "WITH fresh AS ("  # noqa: S608 - our names
        f" SELECT {column} AS id, lag({column}, 1, {first}) OVER (ORDER BY {column}) AS before,"
        f"  {at} > clock_timestamp() - make_interval(secs => %(young)s::float8) AS young"
        f" FROM {table} WHERE {column} > %(above)s::bigint AND {column} <= %(last)s::bigint"
        f" ORDER BY {column} LIMIT %(step)s::int)"
        " SELECT coalesce(min(before) FILTER (WHERE young AND id <> before + 1), max(id),"
        " %(above)s::bigint), coalesce(max(id), %(above)s::bigint) FROM fresh"
    )
    return query, {"above": above, "last": last, "young": SETTLED_AFTER, "step": STEP}
