"""Workflows to read, run and copy. Nothing of Celesta itself needs them."""
