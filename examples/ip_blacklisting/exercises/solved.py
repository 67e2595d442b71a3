"""The solution under the reader's name: a variant that wins every claim."""

from flights.guards.shield import Shield

GUARD = Shield()
