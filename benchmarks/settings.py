"""The reference project's settings, with queues that no other worker on the broker listens to."""

from benchmarks.names import PREFIX, QUEUE
from project.settings import *  # noqa: F403
from project.settings import CELESTA, INSTALLED_APPS

INSTALLED_APPS += ["benchmarks"]
CELESTA["QUEUE_PREFIX"] = PREFIX
CELERY_TASK_DEFAULT_QUEUE = QUEUE
