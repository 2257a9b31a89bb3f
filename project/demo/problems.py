"""What can go wrong in the demonstration: a line that says what, and what to do."""


class DemoProblem(Exception):
    """The demonstration cannot go on; the message says why and what to do."""
