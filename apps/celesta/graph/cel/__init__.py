"""The expression language: a subset of CEL over plain JSON, evaluated within a budget of steps."""
