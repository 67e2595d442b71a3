"""What has to be there before anything starts, said in one sentence each."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, connection


# Django skips what is tagged `database` until that tag, or another one of the check, is named.
@register("services", Tags.database)
def postgres_answers(**_: Any) -> list[CheckMessage]:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        where = f"{connection.settings_dict['HOST']}:{connection.settings_dict['PORT'] or 5432}"
        said = str(error).strip().splitlines()[-1].strip()
        return [Error(f"DATABASE_URL: no PostgreSQL answers at {where}: {said}", id="flights.E001")]
    return []
