"""The database itself refuses to change what a published version says."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION celesta_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published workflow version cannot be changed; publish a new one'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER celesta_version_is_immutable
BEFORE UPDATE ON celesta_workflow_version
FOR EACH ROW
WHEN (
    OLD.number IS DISTINCT FROM NEW.number
    OR OLD.workflow_id IS DISTINCT FROM NEW.workflow_id
    OR OLD.checksum IS DISTINCT FROM NEW.checksum
    OR OLD.source IS DISTINCT FROM NEW.source
    OR OLD.document IS DISTINCT FROM NEW.document
    OR OLD.plan_json IS DISTINCT FROM NEW.plan_json
)
EXECUTE FUNCTION celesta_refuse_version_change();
"""

BACKWARD = """
DROP TRIGGER celesta_version_is_immutable ON celesta_workflow_version;
DROP FUNCTION celesta_refuse_version_change();
"""


class Migration(migrations.Migration):
    dependencies = [("celesta_workflows", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
