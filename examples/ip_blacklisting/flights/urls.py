"""The flight API: each variant at its own path."""

from bans.api import BanList, ChangeList
from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from flights.variants import VARIANTS
from flights.views import Airport, Bans, Booking, Feeds, Index, Login, Search, State


class VariantConverter(StringConverter):
    regex = "|".join(VARIANTS)


register_converter(VariantConverter, "variant")
urlpatterns = [
    path("", Index.as_view()),
    path("shield/bans/", BanList.as_view()),
    path("shield/changes/", ChangeList.as_view()),
    path(
        "<variant:variant>/",
        include(
            [
                path("airports/<str:code>/", Airport.as_view()),
                path("search/", Search.as_view()),
                path("login/", Login.as_view()),
                path("bookings/", Booking.as_view()),
                path("bans/", Bans.as_view()),
                path("feeds/<slug:name>/", Feeds.as_view()),
                path("state/", State.as_view()),
            ]
        ),
    ),
]
