"""The row of a job is its message, too: it says when it is due, and whether it was sent."""

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models.functions import Now

# What waited to be sent, of databases that are there already.
MOVE = """
    UPDATE jobs_job SET due_at = jobs_outbox.due_at, alone = jobs_outbox.alone, sent_at = NULL
    FROM jobs_outbox WHERE job_id = jobs_job.id
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("jobs", "0002_run_due_at")]

    operations: ClassVar[list[Any]] = [
        migrations.RemoveField("job", "correlation"),
        migrations.RemoveField("job", "worker"),
        migrations.AddField("job", "due_at", models.DateTimeField(db_default=Now())),
        migrations.AddField("job", "alone", models.BooleanField(db_default=False)),
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.DeleteModel("outbox"),
        migrations.AddIndex(
            "job",
            models.Index(
                fields=["queue", "due_at"],
                condition=models.Q(finished_at=None, sent_at=None),
                name="due_on_a_queue",
            ),
        ),
    ]
