"""The people's door: pages in the admin's frame, and commands of the host."""
