"""Runs are paused and resumed: since when, and timers that nobody looks at meanwhile."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP = """
DROP FUNCTION IF EXISTS celesta_pause_v1(uuid, text, text);
DROP FUNCTION IF EXISTS celesta_resume_v1(uuid, text);
"""


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0002_functions")]

    operations = [
        migrations.AddField(
            "run",
            "paused_at",
            models.DateTimeField(null=True, help_text="Since when it is paused."),
        ),
        migrations.AddField(
            "timer",
            "held",
            models.BooleanField(
                db_default=False,
                help_text="Its run is paused: nobody looks at it before that goes on.",
            ),
        ),
        migrations.AlterField("timer", "due_at", models.DateTimeField()),
        migrations.AddIndex(
            "timer",
            models.Index(
                fields=["due_at"], condition=models.Q(held=False), name="celesta_timer_due"
            ),
        ),
        migrations.RunSQL((SQL / "pause_v1.sql").read_text(), DROP),
    ]
