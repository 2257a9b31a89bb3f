"""An installed app of node functions for tests: a small vocabulary of how a node may behave."""
