"""Graphs as pictures, without a browser's help."""
