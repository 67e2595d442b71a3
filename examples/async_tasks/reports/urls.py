"""The reports of each variant, and the jobs of all of them."""

from django.urls import path

from .variants import VARIANTS
from .views import Health, Index, Reports, Result, Status

urlpatterns = [
    path("", Index.as_view()),
    path("jobs/<uuid:job>/", Status.as_view()),
    path("jobs/<uuid:job>/report.csv", Result.as_view()),
]
urlpatterns += [path(f"{each.name}/reports/", Reports.as_view(variant=each)) for each in VARIANTS]
urlpatterns += [path(f"{each.name}/health/", Health.as_view(variant=each)) for each in VARIANTS]
