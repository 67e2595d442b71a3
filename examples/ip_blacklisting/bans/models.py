"""The truth about who is refused: bans, feeds, and every change of them."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    Field = models.Field[str, str]
    Lookup = models.Lookup[str]
else:
    Field, Lookup = models.Field, models.Lookup


class CidrField(Field):
    """A network, as PostgreSQL's `cidr` keeps it; text in Python."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 -- Django names it
        return "cidr"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else str(value)


@CidrField.register_lookup
class Holds(Lookup):
    """`network__holds=address`: the networks that contain it."""

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        network, first = self.process_lhs(compiler, connection)
        address, rest = self.process_rhs(compiler, connection)
        return f"{network} >>= {address}::inet", (*first, *rest)


class Bans(models.QuerySet["Ban"]):
    def active(self) -> Self:
        return self.filter(Q(expires=None) | Q(expires__gt=Now()), lifted=None)


class Ban(models.Model):
    """A network that is refused, or an exception that never is."""

    class Kind(models.TextChoices):
        DENY = "deny"
        ALLOW = "allow"

    class Scope(models.TextChoices):
        LOGIN = "login", "logins only"
        FULL = "full"

    network = CidrField()
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.DENY)
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.FULL)
    shadow = models.BooleanField(default=False, help_text="counted, but not refused")
    reason = models.CharField(max_length=200)
    source = models.CharField(max_length=40, help_text="operator, detector, appeal")
    evidence = models.JSONField(default=dict, blank=True)
    starts = models.DateTimeField(db_default=Now())
    expires = models.DateTimeField(null=True, blank=True)
    lifted = models.DateTimeField(null=True, blank=True)

    objects = Bans.as_manager()

    class Meta:
        constraints = (
            # However many ask for it at once.
            models.UniqueConstraint(
                "network", "kind", condition=Q(lifted=None), name="one_active_ban"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.network}"


class Feed(models.Model):
    """A list from elsewhere: the networks of its last good version, as a run."""

    name = models.SlugField(unique=True)
    version = models.PositiveIntegerField(default=1)
    networks = models.PositiveIntegerField()
    digest = models.CharField(max_length=32)
    run = models.BinaryField()
    shadow = models.BooleanField(default=False)
    imported = models.DateTimeField(auto_now=True)
    expires = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class Change(models.Model):
    """One change of a ban or feed: written by triggers, never altered."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField()

    def __str__(self) -> str:
        return f"change {self.seq}"


class DayKey(models.Model):
    """The key of a day's pseudonyms; without it they lead to nobody."""

    day = models.DateField(primary_key=True)
    key = models.BinaryField()

    def __str__(self) -> str:
        return f"key of {self.day}"


class Sighting(models.Model):
    """What a pseudonym did."""

    at = models.DateTimeField(db_index=True)
    client = models.CharField(max_length=20, db_index=True)
    network = CidrField()
    path = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.client} {self.status} {self.path}"


class Appeal(models.Model):
    """What a refused client says against it; forgotten together with the ban."""

    ban = models.ForeignKey(Ban, models.DO_NOTHING)
    at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=1_000)
    granted = models.BooleanField(null=True)

    def __str__(self) -> str:
        return f"appeal {self.pk}"
