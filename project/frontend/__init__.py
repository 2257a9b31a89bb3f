"""Builds what the pages need from frontend/: with the machine's Node, or one from a wheel."""
