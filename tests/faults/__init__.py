"""What Celesta survives, on real processes: rows of the fault table, named in each test."""
