"""The tables."""

import uuid
from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar[list[Any]] = []

    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("job_id", models.UUIDField(db_index=True)),
                ("attempt", models.IntegerField()),
                ("worker", models.TextField()),
                ("due_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(db_default=Now(), db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("key", models.TextField(null=True)),
                ("kind", models.TextField()),
                ("queue", models.TextField()),
                ("arguments", models.JSONField()),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("dead", "Dead"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_default="queued",
                    ),
                ),
                ("attempts", models.IntegerField(db_default=0)),
                ("failures", models.IntegerField(db_default=0)),
                ("losses", models.IntegerField(db_default=0)),
                ("error", models.TextField(db_default="")),
                ("created_at", models.DateTimeField(db_default=Now())),
                ("due_at", models.DateTimeField(db_default=Now())),
                ("sent_at", models.DateTimeField(null=True)),
                ("alone", models.BooleanField(db_default=False)),
                ("lease_until", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None), ("sent_at__isnull", False)),
                        fields=["queue"],
                        name="jobs_on_their_way",
                    ),
                    models.Index(
                        condition=models.Q(("finished_at", None), ("sent_at", None)),
                        fields=["queue", "due_at"],
                        name="due_on_a_queue",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("key",), name="job_of_a_key")],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField()),
                ("detail", models.TextField()),
                ("created_at", models.DateTimeField(db_default=Now())),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "job",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="jobs.job"),
                ),
            ],
        ),
        # Room in each page for the next version of a row; without, every change is an entry in each index.
        migrations.RunSQL(
            "ALTER TABLE jobs_job SET (fillfactor = 50)", "ALTER TABLE jobs_job RESET (fillfactor)"
        ),
    ]
