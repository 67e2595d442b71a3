"""A strawberry extension that refuses what is too dear: after parsing, before validation and resolvers.

Validation comes later, since some of its rules take longer than linear in the document.
"""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError, get_operation_ast
from strawberry.extensions import SchemaExtension

from .price import Price
from .tariff import Tariff


class Priced(SchemaExtension):
    """Refuses documents of many tokens, and operations of many values; tells each price in `extensions`."""

    def __init__(self, tariff: Tariff, most_values: int, most_tokens: int) -> None:
        self.tariff = tariff
        self.most_values = most_values
        self.most_tokens = most_tokens
        self.price: int | None = None

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = self.most_tokens
        yield

    def on_validate(self) -> Iterator[None]:
        asked = self.execution_context
        document = asked.graphql_document
        if document and (operation := get_operation_ast(document, asked.operation_name)):
            schema = asked.schema._schema
            given = asked.variables or {}
            self.price = Price(schema, document, self.tariff, given).of(operation)
            if self.price > self.most_values:
                asked.pre_execution_errors = [self._refusal(self.price)]
        yield

    def _refusal(self, price: int) -> GraphQLError:
        told = {"code": "TOO_DEAR", "price": price, "most": self.most_values}
        words = f"The answer may hold {price:,} values, {self.most_values:,} are allowed."
        return GraphQLError(words, extensions=told)

    def get_results(self) -> dict[str, Any]:
        return {} if self.price is None else {"price": self.price}
