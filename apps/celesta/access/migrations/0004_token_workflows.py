"""Tokens that reach some workflows only."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("celesta_access", "0003_scopes_and_throttle")]

    operations = [
        migrations.AddField(
            "token",
            "workflows",
            django.contrib.postgres.fields.ArrayField(
                models.CharField(max_length=200),
                blank=True,
                default=list,
                help_text="Names of the only workflows that it reaches; all of the workspace when "
                "empty.",
                size=None,
            ),
        ),
    ]
