"""What the solution is measured with: a task of `django.tasks` that writes the row the peers write."""

from django.db import connection
from django.tasks import task
from jobs.topology import QUICK


@task(queue_name=QUICK)
def effect() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_effect (peer) VALUES ('durable')")
