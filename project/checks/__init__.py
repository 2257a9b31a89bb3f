"""Checks of the repository itself, which `make check` runs."""
