"""The settings as they are commonly written; the claims refute them, line by line."""

from os import environ as env

import dj_database_url

from .common import *  # noqa: F403
from .common import DATABASE_OPTIONS

# Nothing says which of them this release cannot do without.
SECRET_KEY = env.get("SECRET_KEY", "")
DATABASE_URL = env.get("DATABASE_URL", "postgres://localhost/flights")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL) | DATABASE_OPTIONS}
PAYMENT_URL = env.get("PAYMENT_URL", "")
# "Healthy" means that everything works, doesn't it?
HEALTH_ASKS_DATABASE = True
