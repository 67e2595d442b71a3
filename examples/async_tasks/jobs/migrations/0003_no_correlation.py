"""A run has its worker, and a log line its job: neither stands in the job's row."""

from typing import Any, ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("jobs", "0002_run_due_at")]

    operations: ClassVar[list[Any]] = [
        migrations.RemoveField("job", "correlation"),
        migrations.RemoveField("job", "worker"),
    ]
