"""The CDN in front of all layers, purged by tag over HTTP; what it keeps is said by the headers of a page.

RFC 9111 (2022): HTTP caching. `Surrogate-Key` and its purge are those of Fastly, and of `varnish/edge.vcl`.
"""

import logging
from collections.abc import Iterable
from http.client import HTTPException
from itertools import batched
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import psycopg
from layers.values import EVERYTHING, name_of

logger = logging.getLogger(__name__)

MOST_TAGS: Final = 20  # of a request: names of 200 characters stay below the header limit of 8 kB
# After Redis, or the CDN would fetch the old page from it again. An answer made before a purge may arrive
# at the CDN after it, and would stay: so again, later.
FORWARD: Final = """
    INSERT INTO cache_outbox (tag, place, due)
    SELECT tag, 'edge', clock_timestamp() + later * interval '1 second'
    FROM (SELECT DISTINCT unnest(%s::text[]) AS tag) tags, unnest(ARRAY[0, 2]) AS later
"""


def surrogate_key(tags: Iterable[str]) -> str:
    """Return the header that names what a page depends on."""
    return " ".join((EVERYTHING, *map(name_of, tags)))


class Edge:
    """Purges a CDN by tag; the password in its address is the key that the CDN asks for."""

    def __init__(self, url: str, timeout_seconds: float = 1.0) -> None:
        where = urlsplit(url)
        self._url = f"http://{where.netloc.rpartition('@')[2]}/"
        self._key = unquote(where.password or "")
        self._timeout_seconds = timeout_seconds
        self._ask = build_opener(ProxyHandler({})).open  # no proxy of the environment's
        self._deaf = ""  # why, as it was logged: it is asked several times a second

    def purge(self, tags: Iterable[str]) -> bool:
        """Void every page with one of *tags*; False if the CDN did not hear of all of them."""
        reason = ""
        try:
            for some in batched(dict.fromkeys(map(name_of, tags)), MOST_TAGS):
                headers = {"Surrogate-Key": " ".join(some), "Authorization": f"Bearer {self._key}"}
                purge = Request(self._url, headers=headers, method="PURGE")  # noqa: S310 -- http only
                self._ask(purge, timeout=self._timeout_seconds).close()
        except (OSError, HTTPException) as error:  # a status beside 2xx is an OSError, too
            reason = str(error) or type(error).__name__
        if reason not in ("", self._deaf):
            logger.warning("the CDN does not hear of purges: %s", reason)
        self._deaf = reason
        return not reason


def forward(connection: "psycopg.Connection", tags: list[str]) -> None:
    """Write down that the CDN has to hear of *tags*, too."""
    connection.execute(FORWARD, [tags])
