"""A project of somebody else, with `queries/keyset.py` copied beside it and the lines of the page."""

import django
from django.conf import settings
from django.db import models
from django.http import HttpResponseBadRequest, JsonResponse
from django.urls import path

database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, DATABASES={"default": database})
django.setup()

# [yours]
from keyset import BadCursor, Cursor, Ordering, keyset_page


class Parcel(models.Model):
    grams = models.IntegerField()

    class Meta:
        app_label = "shop"
        indexes = (models.Index(fields=["-grams", "-id"], name="heaviest"),)


HEAVIEST = Ordering("heaviest", models.F("grams"), lambda parcel: parcel.grams, int)


def parcels(request):
    cursor = request.GET.get("cursor")
    try:
        page = keyset_page(
            Parcel.objects.all(), HEAVIEST, 20, cursor and Cursor.read(cursor, HEAVIEST)
        )
    except BadCursor as error:
        return HttpResponseBadRequest(str(error))
    rows = [{"id": parcel.pk, "grams": parcel.grams} for parcel in page.rows]
    return JsonResponse({"parcels": rows, "next": page.following, "previous": page.previous})


# [/yours]
urlpatterns = [path("", parcels)]
