"""The solution as this project's settings describe it."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from . import django_tasks
from .run import Policy, Work
from .watch import CANARY, sing


@cache
def work() -> Mapping[str, Work]:
    """Return what is done for each kind of job: this package's own kinds, and those of `JOBS`."""
    return {CANARY: sing, django_tasks.KIND: django_tasks.call, **import_string(settings.JOBS)}


@cache
def policy() -> Policy:
    return Policy(**getattr(settings, "JOBS_POLICY", {}))
