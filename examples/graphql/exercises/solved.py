"""The solution under the reader's name: a variant that wins every claim."""

from flights.priced import view as VIEW  # noqa: F401, N812 -- the name that variants.py asks for
