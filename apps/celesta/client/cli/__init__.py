"""``celesta``: the command line for whoever is not on the host. It uses only the API."""
