"""Definitions at rest."""
