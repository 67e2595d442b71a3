"""The solution under the reader's name: a variant that wins every claim."""

from flights.variants import solution

urls = solution()
