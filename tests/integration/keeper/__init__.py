"""The keeper and the leader's duties, on a real database and real processes."""
