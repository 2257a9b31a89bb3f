"""Tokens with scopes, and the counters of calls."""

import django.contrib.postgres.fields
from django.db import migrations, models

#: Not logged: a counter of one minute is worth no disk write, and a crash may forget it.
COUNTERS = """
CREATE UNLOGGED TABLE celesta_throttle (
  caller varchar(80) PRIMARY KEY, minute bigint NOT NULL, used bigint NOT NULL
) WITH (fillfactor = 50);
"""


class Migration(migrations.Migration):
    dependencies = [("celesta_access", "0002_default_workspace")]

    operations = [
        migrations.AddField(
            "token",
            "scopes",
            django.contrib.postgres.fields.ArrayField(
                models.CharField(max_length=32),
                blank=True,
                default=list,
                help_text="What it may be used for; everything its role allows when empty.",
                size=None,
            ),
        ),
        migrations.RunSQL(COUNTERS, "DROP TABLE celesta_throttle"),
    ]
