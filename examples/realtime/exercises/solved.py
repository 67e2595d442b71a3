"""The solution under the reader's name: a variant that wins every claim."""

from flights import live

OUTBOX = True
listen = live.listen
