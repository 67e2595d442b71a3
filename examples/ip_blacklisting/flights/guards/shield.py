"""The solution: who it is by trusted proxies, whether to refuse by the list in this process's memory."""

import time
from collections.abc import Sequence

from bans import configured, ledger
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from shield.addresses import Address, meant

from flights.asked import Ban
from flights.problems import problem


class Shield:
    """No query and no round trip: what refuses is in memory, and others keep it up to date."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        client = configured.client_of(request.META)
        if client is None:
            return problem(400, "No proxy names an address for you that can be read")
        if configured.follower().replica.matcher.refuses(client, time.time()):
            return problem(403, "Your network is refused")
        return None

    def ban(self, asked: Ban) -> None:
        ledger.add(meant(asked.network), asked.seconds)

    def unban(self, network: str) -> None:
        ledger.lift(meant(network))

    def replace(self, name: str, data: bytes, *, force: bool) -> dict[str, object]:
        found = ledger.import_feed(name, data, force=force)
        return {
            "networks": found.networks,
            "formats": found.formats,
            "malformed": found.malformed,
            "filtered": found.filtered,
            "rejected": found.rejected,
        }

    def drop(self, name: str) -> None:
        ledger.drop_feed(name)

    def refuses(self, addresses: Sequence[Address]) -> list[bool]:
        matcher, now = configured.follower().replica.matcher, time.time()
        return [matcher.refuses(address, now) for address in addresses]
