"""The index of the journeys of one channel code, which its times are sorted by.

It stood in 0003 for a while: a database that was made then has it already, hence `IF NOT EXISTS`.
"""

from django.db import migrations, models

FIELDS = [
    "account",
    "source",
    "day",
    *(f"{step}_wait" for step in ("shown", "scanned", "followed", "accepted", "opened", "shared", "others")),
]
COLUMNS = ", ".join(f"{name}_id" if name in ("account", "source") else name for name in FIELDS)


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_people_and_pages")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddIndex("journey", models.Index(fields=FIELDS, name="journey_of_source")),
            ],
            database_operations=[
                migrations.RunSQL(
                    f"CREATE INDEX IF NOT EXISTS journey_of_source ON orders_journey ({COLUMNS})",
                    "DROP INDEX IF EXISTS journey_of_source",
                ),
            ],
        ),
    ]
