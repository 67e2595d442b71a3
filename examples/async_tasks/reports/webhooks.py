"""Telling a webhook that its report is done, and never anything inside (server-side request forgery).

OWASP, Server-Side Request Forgery Prevention Cheat Sheet (2025). A name is looked up once, its address is
checked, and the connection made to that very address: a name that changes its mind gains nothing.
"""

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from jobs.runs import Transient

TIMEOUT_SECONDS: Final = 5.0
MOST_URL: Final = 500
PORTS: Final = {"http": 80, "https": 443}
INSIDE: Final = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")

type Allowed = Callable[[str], bool]
"""Whether an address, as text, may be connected to."""


class RefusedUrl(ValueError):
    """A webhook that is none, or that points inward."""


def is_outside(address: str) -> bool:
    """Whether the address is one of the public internet; an IPv4 address within IPv6 counts as itself."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (mapped is None or mapped.is_global)


def checked(url: str, allowed: Allowed = is_outside) -> SplitResult:
    """Return the parts of *url*, as far as they can be checked without asking a name server.

    Raises:
        RefusedUrl: it is no URL for a webhook.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedUrl(f"no URL: {error}") from error
    if parts.scheme not in PORTS or not host or len(url) > MOST_URL or not url.isprintable():
        raise RefusedUrl("a webhook is an http or https URL with a host")
    if parts.username is not None or port == 0:
        raise RefusedUrl("a webhook has no user, and a port above 0")
    name = host.rstrip(".").lower()
    if name.endswith(INSIDE) and allowed is is_outside:
        raise RefusedUrl(f"{host} points inward")
    if (literal := _literal(name)) and not allowed(literal):
        raise RefusedUrl(f"{host} points inward")
    return parts


def _literal(host: str) -> str | None:
    """Return the address that *host* spells in any way that the C library reads (`127.1`, `0x7f000001`)."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def resolved(parts: SplitResult, allowed: Allowed) -> str:
    """Return the address to connect to.

    Raises:
        RefusedUrl: one of the name's addresses is inside.
        Transient: no name server answers.
    """
    try:
        found = socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Transient(f"{parts.hostname}: {error}") from error
    addresses = [str(each[4][0]) for each in found]
    if not all(allowed(address) for address in addresses):
        raise RefusedUrl(f"{parts.hostname} points inward")
    return addresses[0]


def deliver(url: str, key: str, document: Mapping[str, Any], allowed: Allowed = is_outside) -> None:
    """POST *document*, with *key* as its Idempotency-Key; redirects are not followed.

    Raises:
        RefusedUrl: the URL points inward.
        Transient: no answer, 408, 425, 429 or 5xx.
        ValueError: any other answer than 2xx.
    """
    parts = checked(url, allowed)
    address = resolved(parts, allowed)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    try:
        with closing(_connection(parts, address)) as connection:
            connection.request("POST", target, json.dumps(document), headers)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Transient(f"{parts.hostname}: {type(error).__name__}: {error}") from error
    if status in (408, 425, 429) or status >= 500:
        raise Transient(f"{parts.hostname} answers {status}")
    if not 200 <= status < 300:
        raise ValueError(f"{parts.hostname} answers {status}")


def _connection(parts: SplitResult, address: str) -> http.client.HTTPConnection:
    host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    made = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    made.sock = socket.create_connection((address, port), TIMEOUT_SECONDS)
    if parts.scheme == "https":
        made.sock = ssl.create_default_context().wrap_socket(made.sock, server_hostname=host)
    return made
