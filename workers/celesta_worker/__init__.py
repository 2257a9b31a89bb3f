"""What runs inside a Celery worker: tasks, the runner, the keeper and the node types."""
