"""What has to be there before anything starts, said in one sentence each."""

import time
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.db import OperationalError, connections
from sessions.access import CLOCKS_APART_SECONDS

from . import configured

PUBLISHED = "development-only-"  # how the key in compose.yml begins


@register("services")
def keys_can_be_read(**_: Any) -> list[CheckMessage]:
    try:
        configured.key_file().keys()
    except ValueError as error:
        return [Error(str(error), id="flights.E002")]
    return []


# Django skips what is tagged `database` until that tag, or another one of the check, is named.
@register("services", Tags.database)
def clocks_agree(**_: Any) -> list[CheckMessage]:
    owner = connections["owner"]
    try:
        with owner.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            apart = abs(float(cursor.fetchone()[0]) - time.time())
    except OperationalError as error:
        where = f"{owner.settings_dict['HOST']}:{owner.settings_dict['PORT'] or 5432}"
        said = str(error).strip().splitlines()[-1].strip()
        return [Error(f"DATABASE_URL: no PostgreSQL answers at {where}: {said}", id="flights.E001")]
    if apart <= CLOCKS_APART_SECONDS:
        return []
    words = (
        f"The clocks here and of the database are {apart:.0f} s apart; tokens need them within 5."
    )
    return [Error(words, id="flights.E003")]


@register(Tags.security, deploy=True)
def secret_key_is_your_own(**_: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY.startswith(PUBLISHED):
        return []
    # No warning: `docker compose up` begins with this key, and has to go on.
    words = "SECRET_KEY is the one that compose.yml publishes: bring your own 50 random characters."
    return [Info(words, id="flights.I001")]
