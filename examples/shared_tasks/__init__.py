"""An ordinary Celery project: nothing in here knows of Celesta."""
