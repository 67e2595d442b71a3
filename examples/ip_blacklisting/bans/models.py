"""The truth about who is refused: bans, feeds, and every change of them."""

from typing import Any

from django.db import models


class CidrField(models.CharField):  # type: ignore[type-arg]  # at run time it takes none
    """A network, as PostgreSQL's `cidr` keeps it."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 -- Django names it
        return "cidr"


class Ban(models.Model):
    """A network that is refused, or an exception that never is; `width.sql` says how wide it may be."""

    class Kind(models.TextChoices):
        DENY = "deny"
        ALLOW = "allow"

    network = CidrField()
    kind = models.CharField(max_length=5, choices=Kind.choices, db_default=Kind.DENY)
    expires = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint("network", "kind", name="one_ban"),)


class Feed(models.Model):
    """A list from elsewhere: the networks of its last good version, as a run.

    The one without a name is all of them in one, so that a lookup costs the same however many there are.
    """

    name = models.SlugField(unique=True)
    networks = models.PositiveIntegerField()
    run = models.BinaryField()


class Change(models.Model):
    """One change of a ban or of the feeds: written by triggers."""

    seq = models.BigIntegerField(primary_key=True)
    mark = models.CharField(max_length=36)
    at = models.DateTimeField()
    after = models.JSONField()
