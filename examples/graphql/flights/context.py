"""What resolvers know of a request: who asks, and how relations are loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pricing.tariff import Tariff

# A list has at most 500 rows, whatever is asked. Signing in is dear, so that one document holds few guesses.
TARIFF = Tariff(page="first", most=500, extra={"Mutation.signIn": 1_999})
MOST_VALUES = 10_000  # five guesses, or 500 flights with what stands beside each
MOST_TOKENS = 1_000
MOST_LETTERS = 100  # of a name: each row of an answer has it again


class Relations(Protocol):
    """How the rows that belong to others are loaded: at once, or by and by in batches."""

    def run(self, function: Callable[..., Any], *args: Any) -> Any: ...
    def change(self, function: Callable[..., Any], *args: Any) -> Any: ...
    def one(self, model: Any, key: object) -> Any: ...
    def page(self, parent: Any, key: object, rows: int) -> Any: ...


@dataclass(frozen=True, slots=True)
class Context:
    """Of one request.

    Attributes:
        caller: key of the passenger who asks; None for everybody else.
    """

    caller: int | None
    relations: Relations
