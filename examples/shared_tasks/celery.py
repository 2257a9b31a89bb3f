"""The team's own Celery app: ``celery -A examples.shared_tasks worker`` runs it without Celesta."""

import os

from celery import Celery

app = Celery("shop", broker=os.environ.get("BROKER_URL"), backend=os.environ.get("RESULT_BACKEND"))
app.autodiscover_tasks(["examples.shared_tasks"])
