"""`name__ilike`: contains, whatever the case, in the form that a trigram index on the column serves.

Django's `icontains` compares UPPER(name), an expression that an index on `name` knows nothing of.
PostgreSQL manual, pg_trgm: gin_trgm_ops supports LIKE, ILIKE, ~ and ~*.
"""

from typing import Any

from django.db.models import lookups


class ILike(lookups.Contains):
    """Contains without regard to case; % and _ in the argument stand for themselves."""

    lookup_name = "ilike"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:  # noqa: ARG002 -- Django names it
        return f"ILIKE {rhs}"
