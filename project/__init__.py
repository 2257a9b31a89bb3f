"""The reference project: Celesta as a service of its own.

`apps/` and `workers/` are import roots beside this package. They are put on the path here so
that every way in (`manage.py`, `celery -A project`, `uvicorn project.asgi`) finds them.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

for _root in ("workers", "apps"):
    if str(ROOT / _root) not in sys.path:
        sys.path.insert(1, str(ROOT / _root))
