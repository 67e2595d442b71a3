"""strawberry-django with its optimizer and two limits, as their documentation shows them.

https://strawberry.rocks/docs/django: Optimizer, Pagination; https://strawberry.rocks/docs/extensions.
"""

import strawberry
import strawberry_django
from strawberry import auto
from strawberry.django.views import GraphQLView
from strawberry.extensions import MaxAliasesLimiter, QueryDepthLimiter
from strawberry_django.optimizer import DjangoOptimizerExtension

from . import models


@strawberry_django.type(models.Airline)
class Airline:
    code: auto
    name: auto


@strawberry_django.type(models.Airport)
class Airport:
    code: auto
    name: auto
    departures: list["Flight"] = strawberry_django.field(pagination=True)
    arrivals: list["Flight"] = strawberry_django.field(pagination=True)


@strawberry_django.type(models.Flight)
class Flight:
    id: auto
    number: auto
    scheduled_departure: auto
    airline: Airline
    origin: Airport
    destination: Airport


@strawberry.type
class Query:
    flights: list[Flight] = strawberry_django.field(pagination=True)
    airports: list[Airport] = strawberry_django.field(pagination=True)


schema = strawberry.Schema(
    Query,
    extensions=[
        DjangoOptimizerExtension,
        lambda: QueryDepthLimiter(max_depth=10),
        lambda: MaxAliasesLimiter(max_alias_count=15),
    ],
)
view = GraphQLView.as_view(schema=schema)
