"""The price of a query: how many values its answer may hold, computed in one pass before anything runs.

GraphQL specification, October 2021, 6.4. A value is a scalar, a null, an object or a list. Fields that merge
are counted each, so the answer holds at most as many; what `@skip` and `@include` leave out is not counted.
The time grows with the document and not with what it expands to: each fragment is priced once.
"""

from collections.abc import Mapping
from typing import Any

import graphql

from .tariff import Tariff

type Parent = graphql.GraphQLNamedType | None


class Price:
    """Prices one operation with the variables that came with it."""

    def __init__(
        self,
        schema: graphql.GraphQLSchema,
        document: graphql.DocumentNode,
        tariff: Tariff,
        given: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.tariff = tariff
        self.variables = dict(given)
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, graphql.FragmentDefinitionNode)
        }
        self.priced: dict[str, int] = {}

    def of(self, operation: graphql.OperationDefinitionNode) -> int:
        """Return how many values the answer to `operation` may hold."""
        for each in operation.variable_definitions or ():
            if each.default_value:
                value = graphql.value_from_ast_untyped(each.default_value)
                self.variables.setdefault(each.variable.name.value, value)
        root = self.schema.get_root_type(operation.operation)
        return self._selections(operation.selection_set, root)

    def _selections(self, selected: graphql.SelectionSetNode, parent: Parent) -> int:
        total = 0
        for node in selected.selections:
            if self._left_out(node):
                continue
            match node:
                case graphql.FieldNode():
                    total += self._field(node, parent)
                case graphql.InlineFragmentNode(type_condition=on):
                    named = self.schema.get_type(on.name.value) if on else parent
                    total += self._selections(node.selection_set, named)
                case graphql.FragmentSpreadNode():
                    total += self._fragment(node.name.value)
        return total

    def _fragment(self, name: str) -> int:
        if name not in self.priced and name in self.fragments:
            self.priced[name] = 0  # within itself it costs nothing: validation refuses the circle
            node = self.fragments[name]
            named = self.schema.get_type(node.type_condition.name.value)
            self.priced[name] = self._selections(node.selection_set, named)
        return self.priced.get(name, 0)

    def _field(self, node: graphql.FieldNode, parent: Parent) -> int:
        name = node.name.value
        found: graphql.GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if found is None:  # `__typename`, or what validation refuses
            return 1
        total = 1 + self.tariff.extra.get(f"{parent}.{name}", 0)
        inner = 0
        if node.selection_set:
            inner = self._selections(node.selection_set, graphql.get_named_type(found.type))
        if graphql.is_list_type(graphql.get_nullable_type(found.type)):
            return total + self._rows(node, found) * (1 + inner)
        return total + inner

    def _rows(self, node: graphql.FieldNode, found: graphql.GraphQLField) -> int:
        page = self.tariff.page
        return self.tariff.rows(self._argument(node, page, _default(found.args.get(page))))

    def _left_out(self, node: graphql.SelectionNode) -> bool:
        """Whether `@skip(if: true)` or `@include(if: false)` stands there."""
        out = {"skip": True, "include": False}
        found = (each for each in node.directives or () if each.name.value in out)
        return any(self._argument(each, "if") is out[each.name.value] for each in found)

    def _argument(
        self, node: graphql.FieldNode | graphql.DirectiveNode, name: str, unsaid: object = None
    ) -> object:
        """Return what an argument is: a literal, a variable as it came or by its default."""
        for each in node.arguments or ():
            if each.name.value == name:
                if not isinstance(each.value, graphql.VariableNode):
                    return graphql.value_from_ast_untyped(each.value)
                return self.variables.get(each.value.name.value, unsaid)
        return unsaid


def _default(argument: graphql.GraphQLArgument | None) -> object:
    """Return the default of the schema: a literal of SDL, a value, or as strawberry still gives it."""
    if argument is None:
        return None
    if argument.default is None:
        return argument.default_value
    literal = argument.default.literal
    return graphql.value_from_ast_untyped(literal) if literal else argument.default.value
