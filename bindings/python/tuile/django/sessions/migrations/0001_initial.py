"""The table of owners' lists, unless a C server has made it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


class CreateUnlessThere(migrations.CreateModel):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if table not in schema_editor.connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    initial = True
    operations = [
        CreateUnlessThere(
            name="ListedSession",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("owner", models.CharField(max_length=255)),
                ("record", models.TextField()),
            ],
            options={
                "verbose_name": "live session",
                "verbose_name_plural": "live sessions",
                "db_table": "tuile_session_owner",
                "default_permissions": ("view", "delete"),
                "indexes": [models.Index(fields=["owner"], name="tuile_session_owner_owner")],
            },
        ),
    ]
