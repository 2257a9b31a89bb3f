"""Moving runs forward: one verb per file."""
