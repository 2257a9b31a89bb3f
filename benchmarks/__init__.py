"""Celesta against raw Celery canvas, on the same servers in one run (`python -m benchmarks`)."""
