"""What a web process has done before its first request."""

import subprocess
import sys

from tests.processes import worker_environment

LOOK = """
import gc, project.asgi
from django.urls import get_resolver
print(gc.get_freeze_count(), "url_patterns" in vars(get_resolver()))
"""


def test_what_is_loaded_is_kept_out_of_collections() -> None:
    found = subprocess.run(
        [sys.executable, "-c", LOOK],
        env=worker_environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    frozen, addresses = found.stdout.split()
    assert int(frozen) > 100_000
    assert addresses == "True"
