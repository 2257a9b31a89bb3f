"""Child processes that can always be found and ended, also by somebody else later.

Every child leads a session of its own and has a record in a run directory that says how to end
it. Who comes later (the warden after a SIGKILL, `down`, the next `up`) needs only that directory.
"""
