"""Settings for real workers in tests: faults are made by wrapping a seam, never in product code."""
