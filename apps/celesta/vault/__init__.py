"""Values, and later secrets, that workflows share."""
