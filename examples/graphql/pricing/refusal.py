"""A strawberry extension that refuses what is too dear: after parsing, before validation and resolvers.

Validation comes later: some of its rules take longer than linear, and its errors repeat what was sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLError, Token, TokenKind, get_operation_ast
from strawberry.extensions import SchemaExtension

from .price import Price
from .tariff import Tariff


@dataclass(eq=False)
class Priced(SchemaExtension):
    """Refuses many tokens, many values, and long names, which rows and errors repeat; tells the price."""

    tariff: Tariff
    most_values: int
    most_tokens: int
    most_letters: int
    price: int | None = None

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = self.most_tokens
        yield

    def on_validate(self) -> Iterator[None]:
        asked = self.execution_context
        if (document := asked.graphql_document) and (refusal := self._refusal(document)):
            asked.pre_execution_errors = [refusal]
        yield

    def _refusal(self, document: DocumentNode) -> GraphQLError | None:
        asked = self.execution_context
        if any(len(each) > self.most_letters for each in names(document)):
            return GraphQLError(f"A name has more than {self.most_letters} letters.")
        # What was asked for, and not `operation_name`: without one strawberry runs the first of several.
        operation = get_operation_ast(document, asked._provided_operation_name)
        if not operation:
            return GraphQLError("`operationName` has to say which of the operations it is.")
        price = Price(asked.schema._schema, document, self.tariff, asked.variables or {})
        self.price = price.of(operation)
        if self.price <= self.most_values:
            return None
        told = {"code": "TOO_DEAR", "price": self.price, "most": self.most_values}
        words = f"The answer may hold {self.price:,} values, {self.most_values:,} are allowed."
        return GraphQLError(words, extensions=told)

    def get_results(self) -> dict[str, Any]:
        return {} if self.price is None else {"price": self.price}


def names(document: DocumentNode) -> Iterator[str]:
    """Yield every name of a document: of fields, aliases, arguments, variables, types and operations."""
    token: Token | None = document.loc.start_token if document.loc else None
    while token:
        if token.kind is TokenKind.NAME:
            yield token.value or ""
        token = token.next
