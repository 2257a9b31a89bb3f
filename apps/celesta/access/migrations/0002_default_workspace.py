"""One workspace to begin with, so that nobody has to think of workspaces before they need two."""

from django.db import migrations


def make(apps, schema_editor):
    workspaces = apps.get_model("celesta_access", "Workspace").objects.using(
        schema_editor.connection.alias
    )
    workspaces.get_or_create(slug="default", defaults={"name": "Default"})


class Migration(migrations.Migration):
    dependencies = [("celesta_access", "0001_initial")]

    # Going back keeps the row: others may belong to it by then.
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
