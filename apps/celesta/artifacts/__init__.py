"""Files that runs produce: their records, and the storage of their bytes."""
