"""The solution under the reader's name: a variant that wins every claim."""

from flights import live
from flights.variants import told_by_the_outbox

OUTBOX = True
publish = told_by_the_outbox
listen = live.listen
