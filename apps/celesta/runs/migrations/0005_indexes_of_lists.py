"""Indexes for lists of runs by state and trigger: see runs/listing.py."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0004_slots")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["workflow", "state", "-created_at", "-id"],
                name="celesta_run_workflow_state",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["workspace", "trigger", "state", "-created_at", "-id"],
                name="celesta_run_trigger",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["workflow", "trigger", "state", "-created_at", "-id"],
                name="celesta_run_workflow_trigger",
            ),
        ),
    ]
