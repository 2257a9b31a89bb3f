"""The Celery application of the reference project (`celery -A project worker`)."""

import os

from celery import Celery

import celesta
from project import readiness

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("celesta")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
celesta.install(app)
readiness.announce()
