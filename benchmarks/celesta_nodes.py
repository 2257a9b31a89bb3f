"""The node that does nothing: what is left is the engine."""

import celesta
from benchmarks.workloads import FUNCTION


@celesta.node(FUNCTION)
def noop() -> None:
    """Do nothing."""
