"""The solution under the reader's name: a variant that wins every claim."""

from flights.kept import RELEASE, urlpatterns

__all__ = ["RELEASE", "urlpatterns"]
