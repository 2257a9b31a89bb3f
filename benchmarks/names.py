"""Names in the servers that belong to this benchmark alone; workers get them by environment."""

import os

KEY = os.environ.setdefault("CELESTA_BENCH", f"bench{os.getpid()}")
DATABASE = f"celesta_{KEY}"
PREFIX = f"{KEY}."
QUEUE = f"{PREFIX}default"
RAW_QUEUE = f"{KEY}.raw"
#: Who looks at pages.
USER = "bench"
