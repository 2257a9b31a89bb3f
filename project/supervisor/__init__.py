"""Running Celesta on one machine: `python -m project up`, `down`, `dev`.

docs/decisions/0001-own-supervisor.md tells why this is not honcho.
"""
