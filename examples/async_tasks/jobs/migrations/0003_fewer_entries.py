"""Fewer index entries for each change of a job, and none that a statement about one job would read."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("jobs", "0002_event")]
    operations: ClassVar[list[Any]] = [
        migrations.RemoveIndex("job", "jobs_open"),
        migrations.AddIndex(
            "job",
            models.Index(fields=["queue"], condition=models.Q(finished_at=None), name="open_jobs"),
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                fields=["finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="ended_jobs",
            ),
        ),
        migrations.AlterField("job", "key", models.TextField(null=True)),
        migrations.AddConstraint(
            "job", models.UniqueConstraint(fields=["key"], name="job_of_a_key")
        ),
        migrations.AlterField(
            "job",
            "whole",
            models.ForeignKey(
                "jobs.job",
                django.db.models.deletion.CASCADE,
                null=True,
                related_name="members",
                db_index=False,
            ),
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                fields=["whole"],
                condition=models.Q(whole__isnull=False),
                name="members_of_a_job",
            ),
        ),
        # Only the trigger writes there, of the job that it fires for.
        migrations.AlterField(
            "event",
            "job",
            models.ForeignKey(
                "jobs.job",
                django.db.models.deletion.CASCADE,
                db_constraint=False,
                db_index=False,
                related_name="events",
            ),
        ),
        # Room in each page for the next version of a row; without, every change is an entry in each index.
        migrations.RunSQL(
            "ALTER TABLE jobs_job SET (fillfactor = 50)", "ALTER TABLE jobs_job RESET (fillfactor)"
        ),
    ]
