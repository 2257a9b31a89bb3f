"""A project that trusts its broker: its own tasks travel as pickle."""

from tests.settings.workload import *  # noqa: F403

CELERY_TASK_SERIALIZER = "pickle"
CELERY_ACCEPT_CONTENT = ["json", "pickle"]
