"""Tokens that have a successor."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("celesta_access", "0004_token_workflows")]

    operations = [
        migrations.AddField("token", "rotated_at", models.DateTimeField(blank=True, null=True)),
    ]
