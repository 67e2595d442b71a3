"""What RabbitMQ says of its queues, by the HTTP API of its management plugin (its documentation, 4.0)."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

ANSWER_SECONDS: Final = 2


class NoAnswer(Exception):
    """The API is away, refuses, or says something else."""


@dataclass(frozen=True, slots=True)
class Depth:
    """One queue: messages that wait, messages that a worker has, and workers that listen.

    There is no age of the oldest message: RabbitMQ has none for a quorum queue; the rows have it.
    """

    name: str
    ready: int
    unacknowledged: int
    consumers: int


def depths(url: str) -> Iterator[Depth]:
    """Yield every queue of the default virtual host; a few seconds old, as RabbitMQ counts.

    Args:
        url: of the API, with user and password: `http://user:password@rabbitmq:15672`.

    Raises:
        NoAnswer: nothing that can be read comes within 2 s.
    """
    for each in asked(url):
        try:
            yield Depth(
                str(each["name"]),
                # What a queue that was declared a moment ago has not been counted for yet.
                int(each.get("messages_ready", 0)),
                int(each.get("messages_unacknowledged", 0)),
                int(each.get("consumers", 0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NoAnswer(f"no description of a queue: {each!r}") from error


def asked(url: str) -> list[Any]:
    parts = urlsplit(url)
    secret = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    token = base64.b64encode(secret.encode()).decode()
    address = parts._replace(
        netloc=parts.netloc.rpartition("@")[2], path="/api/queues/%2F"
    ).geturl()
    request = Request(address, headers={"Authorization": f"Basic {token}"})  # noqa: S310 -- of the settings
    try:
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            found = json.load(answer)
    except (OSError, ValueError) as error:
        raise NoAnswer(f"{address}: {error}") from error
    if not isinstance(found, list):
        raise NoAnswer(f"{address}: no list of queues")
    return found
