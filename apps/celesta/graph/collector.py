"""Python's cyclic garbage collector, kept out of work that makes many lasting values."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collection inside.

    A document of 10,000 nodes becomes some million objects that stay, without cycles; the collector
    would go through all of them again and again, for a quarter of the whole time. Threads that
    pause it at once cannot leave it off: the first to come is the one that turns it on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
