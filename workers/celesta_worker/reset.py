"""Between two nodes in one process: nothing of the first may reach the second."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import connections, reset_queries

from celesta_worker import asyncio_loop


def reset_between_nodes() -> None:
    """Leave no broken, expired or half-used Django connection to the next node. Costs microseconds.

    Language, time zone and other context variables need no reset: ``execute`` runs every body in a
    copied context.
    """
    reset_queries()
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            # The node left a transaction open. Closing rolls it back; the wrapper goes too, since
            # it would refuse every query until the lost `atomic` block ends.
            connection.close()
            del connections[connection.alias]
        else:
            connection.close_if_unusable_or_obsolete()


def reset_after_async_nodes() -> None:
    """The same for the thread in which async nodes use the database (``sync_to_async``)."""
    asyncio_loop.wait_for(sync_to_async(reset_between_nodes)())
