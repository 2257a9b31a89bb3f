"""Commands of the reference project alone; those of Celesta are in its own apps."""
