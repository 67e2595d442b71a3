"""What makes a field dear: how many rows a list may have, and what one use of a field costs on top."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tariff:
    """What makes a field dear.

    Attributes:
        page: the argument that says how many rows a list has at most.
        most: rows of a list where that argument is not there, null, negative or larger.
        extra: `Type.field` -> what one use of it costs on top, for a field that may not be used often.
    """

    page: str = "first"
    most: int = 500
    extra: Mapping[str, int] = field(default_factory=dict)

    def rows(self, asked: object) -> int:
        """Return how many rows a list has at most; resolvers ask here, too, or the price would be a wish."""
        # JSON has one kind of number: a variable that comes as `5.0` is the Int 5.
        if isinstance(asked, bool) or not isinstance(asked, int | float):
            return self.most
        return min(int(asked), self.most) if asked.is_integer() and asked >= 0 else self.most
