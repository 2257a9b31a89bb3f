"""History at rest: runs, node runs, their events and outputs, and the only writer of them."""
