"""The fast way that is written by hand: ranges sorted by their first address, and one bisection.

Right as long as no range lies in another: then the last range that begins before an address need not be
the one that contains it.
"""

import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from shield.addresses import WIDTH, Address, Network, parse_address, parse_network

from flights.asked import Ban
from flights.models import ListedNetwork

from . import forbidden
from .leftmost import client_ip

FRESH_SECONDS = 1.0


class Ranges:
    """What `Bisect` looks up in."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._ranges = sorted(
            (version, value, value | (2 ** (WIDTH[version] - length) - 1))
            for version, value, length in networks
        )

    def __contains__(self, address: Address) -> bool:
        end = (address.version, address.value, 2**128)
        place = bisect_right(self._ranges, end) - 1
        if place < 0:
            return False
        version, _, last = self._ranges[place]
        return version == address.version and address.value <= last


class Bisect:
    """Reads all rows again once a second."""

    def __init__(self) -> None:
        self._ranges = Ranges(())
        self._read = -FRESH_SECONDS

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        address = parse_address(client_ip(request))
        return forbidden() if address and address in self.read() else None

    def read(self) -> Ranges:
        if time.monotonic() - self._read > FRESH_SECONDS:
            rows = ListedNetwork.objects.values_list("network", flat=True)
            self._ranges = Ranges(map(parse_network, rows))
            self._read = time.monotonic()
        return self._ranges

    def refuses(self, addresses: Sequence[Address]) -> list[bool]:
        ranges = self.read()
        return [address in ranges for address in addresses]

    def ban(self, asked: Ban) -> None:
        ListedNetwork.objects.create(network=str(parse_network(asked.network)))

    def unban(self, network: str) -> None:
        ListedNetwork.objects.filter(network=str(parse_network(network))).delete()

    def replace(self, name: str, data: bytes, *, force: bool) -> dict[str, object]:
        """Delete everything, insert everything: what a nightly script does."""
        del name, force
        networks = set()
        for line in data.decode(errors="replace").splitlines():
            with suppress(ValueError):
                networks.add(str(parse_network(line)))
        with transaction.atomic():
            ListedNetwork.objects.all().delete()
            ListedNetwork.objects.bulk_create(
                [ListedNetwork(network=network) for network in networks], batch_size=10_000
            )
        return {"networks": len(networks)}

    def drop(self, name: str) -> None:
        del name
        ListedNetwork.objects.all().delete()
