"""One file per resource: each view reads its input, makes one call, and shows the answer."""
