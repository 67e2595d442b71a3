"""The solution: who it is by trusted proxies, whether to refuse by the list in this process's memory."""

import time

from bans import configured, ledger
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from shield.addresses import meant

from flights.problems import problem


class Shield:
    """No query and no round trip: what refuses is in memory, and others keep it up to date."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        client = configured.client_of(request.META)
        if client is None:
            return problem(400, "No proxy names an address for you that can be read")
        if configured.follower().replica.refuses(client, time.time()):
            return problem(403, "Your network is refused")
        return None

    def ban(self, network: str) -> None:
        ledger.add(meant(network))

    def unban(self, network: str) -> None:
        ledger.lift(meant(network))

    def replace(self, name: str, data: bytes, *, force: bool) -> dict[str, object]:
        found = vars(ledger.import_feed(name, data, force=force))
        return {name: value for name, value in found.items() if name != "run"}
