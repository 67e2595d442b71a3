"""The price of a query: how many values its answer may hold, computed in one pass before anything runs.

GraphQL specification, October 2021, 6.4. A value is a scalar, a null, an object or a list. Fields that merge
are counted each, so the answer holds at most as many. The time grows with the document and not with what
it expands to: each fragment is priced once.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from .tariff import Tariff


class Price:
    """Prices one operation with the variables that came with it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        tariff: Tariff,
        given: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.tariff = tariff
        self.variables = dict(given)
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.priced: dict[str, int] = {}

    def of(self, operation: OperationDefinitionNode) -> int:
        """Return how many values the answer to `operation` may hold."""
        for each in operation.variable_definitions or ():
            if each.default_value:
                self.variables.setdefault(
                    each.variable.name.value, value_from_ast_untyped(each.default_value)
                )
        return self._selections(
            operation.selection_set, self.schema.get_root_type(operation.operation)
        )

    def _selections(self, selected: SelectionSetNode, parent: GraphQLNamedType | None) -> int:
        total = 0
        for node in selected.selections:
            match node:
                case FieldNode():
                    total += self._field(node, parent)
                case InlineFragmentNode(type_condition=on):
                    named = self.schema.get_type(on.name.value) if on else parent
                    total += self._selections(node.selection_set, named)
                case FragmentSpreadNode():
                    total += self._fragment(node.name.value)
        return total

    def _fragment(self, name: str) -> int:
        if name not in self.priced and name in self.fragments:
            self.priced[name] = 0  # within itself it costs nothing: validation refuses the circle
            node = self.fragments[name]
            named = self.schema.get_type(node.type_condition.name.value)
            self.priced[name] = self._selections(node.selection_set, named)
        return self.priced.get(name, 0)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        name = node.name.value
        found: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if found is None:  # `__typename`, or what validation refuses
            return 1
        total = 1 + self.tariff.extra.get(f"{parent}.{name}", 0)
        inner = 0
        if node.selection_set:
            inner = self._selections(node.selection_set, get_named_type(found.type))
        if is_list_type(get_nullable_type(found.type)):
            return total + self._rows(node, found) * (1 + inner)
        return total + inner

    def _rows(self, node: FieldNode, found: GraphQLField) -> int:
        page = self.tariff.page
        for argument in node.arguments or ():
            if argument.name.value == page:
                value: ValueNode = argument.value
                if not isinstance(value, VariableNode):
                    return self.tariff.rows(value_from_ast_untyped(value))
                if value.name.value in self.variables:
                    return self.tariff.rows(self.variables[value.name.value])
        return self.tariff.rows(_default(found.args.get(page)))


def _default(argument: GraphQLArgument | None) -> object:
    """Return the default of the schema: a literal, a value, or as graphql-core 3.2 keeps it."""
    if argument is None:
        return None
    if argument.default is None:
        return argument.default_value
    literal = argument.default.literal
    return value_from_ast_untyped(literal) if literal else argument.default.value
