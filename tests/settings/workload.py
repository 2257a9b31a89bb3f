"""The reference project with the node functions of the tests."""

import os

from project.settings import *  # noqa: F403
from tests.settings import PASSWORD_HASHERS as PASSWORD_HASHERS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.workload"]  # noqa: F405
CELESTA = {
    **CELESTA,  # noqa: F405
    "HARD_TIMEOUT_GRACE": float(os.environ.get("CELESTA_TEST_GRACE", "5")),
    "NODE_LOG_LEVEL": os.environ.get("CELESTA_TEST_NODE_LOG_LEVEL", "INFO"),
    "HINT_LOST_AFTER": float(os.environ.get("CELESTA_TEST_HINT_LOST_AFTER", "5")),
}
# Broadcasts of other programs on a shared RabbitMQ are no part of these tests.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# As in a project that leaves Celery's own way of logging on.
CELERY_WORKER_REDIRECT_STDOUTS = bool(os.environ.get("CELESTA_TEST_REDIRECT"))
CELESTA["STREAMS_PER_CALLER"] = int(os.environ.get("CELESTA_TEST_STREAMS", "50"))
CELESTA["STREAM_ORIGINS"] = ["https://ops.example"]
