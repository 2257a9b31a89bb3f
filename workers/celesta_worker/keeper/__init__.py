"""The keeper: the part of every worker that outlives its pool processes.

A thread of the worker's main process. It extends the leases of slots whose process lives, takes
back at once what a dead one held, ends bodies that are over their deadline, tells the processes
what they cannot see themselves, and leads when nobody does.
"""

from celesta_worker.keeper.step import Keeper

__all__ = ["Keeper"]
