"""What tests ask of the rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from jobs.models import Job


def elsewhere[T](do: Callable[[], T]) -> T:
    """Return what *do* returns in another thread, on a connection of its own that waits for no lock."""

    def on_its_own() -> T:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(on_its_own).result()


def outbox():
    """Return the jobs that are still to be sent."""
    return Job.objects.filter(sent_at=None, finished_at=None)
