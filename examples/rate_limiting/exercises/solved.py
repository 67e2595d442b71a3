"""The solution under the reader's name: a variant that wins every claim."""

from flights.limits import RULES
from flights.variants import token_bucket_drf

LIMITS = RULES
view = token_bucket_drf
