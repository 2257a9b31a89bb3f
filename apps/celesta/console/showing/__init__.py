"""What pages show, read from the history of runs."""
