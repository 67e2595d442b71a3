"""The reader's own way: a table, and the steps that their file makes of it."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from django.db.migrations.operations.base import Operation

TABLE: Final = "mine_delay"
type Code = Literal["late, cause", "delay_minutes, cause", "delay_minutes"]


class Step(NamedTuple):
    """One migration.

    Attributes:
        operations: what it does.
        code: the columns that the code knows which is deployed after it.
        atomic: whether all of it is one transaction.
    """

    operations: Sequence[Operation]
    code: Code
    atomic: bool = True
