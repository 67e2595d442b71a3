"""The report as a task of Django's own `django.tasks`."""

from django.tasks import task
from jobs.topology import BULK

from .work import compute, store


@task(queue_name=BULK)
def keep_report(job: str, airline: str, month: int) -> None:
    arguments = {"airline": airline, "month": month}
    store(job, arguments, compute(arguments, lambda _: None))
