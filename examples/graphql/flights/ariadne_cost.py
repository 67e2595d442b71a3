"""ariadne with its validator of costs as its documentation shows it: a list costs as often as `first` says.

https://ariadnegraphql.org: Query validators, Django integration.
"""

import json
from typing import Any

from ariadne import ObjectType, QueryType, graphql_sync, make_executable_schema
from ariadne.validation import cost_directive, cost_validator
from django.http import HttpRequest, JsonResponse

from .context import MOST_VALUES, TARIFF
from .models import Airport, Flight

SDL = """
type Query {
    flights(first: Int = 20): [Flight!]! @cost(complexity: 1, multipliers: ["first"])
    airports(first: Int = 20): [Airport!]! @cost(complexity: 1, multipliers: ["first"])
}
type Airport {
    code: String!
    departures(first: Int = 20): [Flight!]! @cost(complexity: 1, multipliers: ["first"])
}
type Flight {
    id: ID!
    number: Int!
    origin: Airport! @cost(complexity: 1)
}
"""

query, airport = QueryType(), ObjectType("Airport")


@query.field("flights")
def flights(_root: Any, _info: Any, first: int | None = 20) -> list[Flight]:
    return list(Flight.objects.all()[: TARIFF.rows(first)])


@query.field("airports")
def airports(_root: Any, _info: Any, first: int | None = 20) -> list[Airport]:
    return list(Airport.objects.all()[: TARIFF.rows(first)])


@airport.field("departures")
def departures(root: Airport, _info: Any, first: int | None = 20) -> list[Flight]:
    return list(root.departures.all()[: TARIFF.rows(first)])


schema = make_executable_schema([cost_directive, SDL], query, airport)


def view(request: HttpRequest) -> JsonResponse:
    asked = json.loads(request.body)
    cost = cost_validator(MOST_VALUES, variables=asked.get("variables"))
    success, answer = graphql_sync(schema, asked, context_value=request, validation_rules=[cost])
    return JsonResponse(answer, status=200 if success else 400)
