"""The truth about who is refused: bans, feeds, and every change of them."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    Field = models.Field[str, str]
else:
    Field = models.Field


class CidrField(Field):
    """A network, as PostgreSQL's `cidr` keeps it; text in Python."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 -- Django names it
        return "cidr"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else str(value)


class Bans(models.QuerySet["Ban"]):
    def active(self) -> Self:
        return self.filter(Q(expires=None) | Q(expires__gt=Now()), lifted=None)


class Ban(models.Model):
    """A network that is refused, or an exception that never is."""

    class Kind(models.TextChoices):
        DENY = "deny"
        ALLOW = "allow"

    network = CidrField()
    kind = models.CharField(max_length=5, choices=Kind.choices, db_default=Kind.DENY)
    expires = models.DateTimeField(null=True)
    lifted = models.DateTimeField(null=True)

    objects = Bans.as_manager()

    class Meta:
        constraints = (
            # However many ask for it at once.
            models.UniqueConstraint(
                "network", "kind", condition=Q(lifted=None), name="one_active_ban"
            ),
        )


class Feed(models.Model):
    """A list from elsewhere: the networks of its last good version, as a run."""

    name = models.SlugField(unique=True)
    networks = models.PositiveIntegerField()
    run = models.BinaryField()


class Feeds(models.Model):
    """All feeds in one run: the only row, so that a lookup costs the same however many there are."""

    networks = models.PositiveIntegerField()
    digest = models.CharField(max_length=32)
    run = models.BinaryField()


class Change(models.Model):
    """One change of a ban or of the feeds: written by triggers."""

    seq = models.BigIntegerField(primary_key=True)
    mark = models.CharField(max_length=36)
    previous = models.CharField(max_length=36)
    at = models.DateTimeField()
    after = models.JSONField()
