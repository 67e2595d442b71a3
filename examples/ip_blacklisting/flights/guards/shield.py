"""The solution: who it is by trusted proxies, whether to refuse by the list in this process's memory."""

import time
from collections.abc import Iterable
from typing import Final

from bans import ledger, logins, wiring
from bans.answers import problem
from bans.ledger import Actor
from bans.metrics import child
from bans.watch import Seen, reporter
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from shield.addresses import Address, account
from shield.matcher import Match, Scope
from shield.scores import Kind

CLIENT = "shield_client"  # attribute of a request, so that it is asked for once
KINDS: Final[dict[int, Kind]] = {401: "login failed", 404: "missing"}


def match_of(client: Address) -> Match | None:
    return wiring.follower().replica.matcher.find(client, time.time())


def excepted(client: Address) -> bool:
    return wiring.follower().replica.matcher.exceptions.find(client, time.time()) is not None


class Shield:
    """No query and no round trip: what refuses is in memory, and others keep it up to date.

    The ladder: 429 for who fails to log in too often, no logins, nothing at all. The first rung alone
    asks Redis, and only of logins.
    """

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        client = wiring.client_of(request.META)
        setattr(request, CLIENT, client)
        if client is None:
            return problem(400, "No proxy names an address for you that can be read")
        found = match_of(client)
        login = request.path.endswith("/login/")
        if found and (login or found.entry.scope == Scope.FULL):
            child(found.source, "shadow" if found.entry.shadow else "refused").inc()
            if not found.entry.shadow:
                what = "Your network is" if found.entry.scope == Scope.FULL else "Logins are"
                return problem(403, f"{what} refused", reference=wiring.reference(found.entry.id))
        if refused := self.refused_country(client):
            return refused
        if login and (wait := logins.wait_seconds(request, client)):
            self._note(request, client, "login failed", 429)  # or nobody would reach the next rung
            return logins.too_many(wait)
        return None

    @staticmethod
    def refused_country(client: Address) -> HttpResponseBase | None:
        if not settings.REFUSED_COUNTRIES:
            return None
        country = wiring.countries().of(client)
        # An unknown one is not among them.
        if country not in settings.REFUSED_COUNTRIES or excepted(client):
            return None
        child("country", "refused").inc()
        return problem(403, "This service does not answer your country", country=country)

    def seen(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        """Note what was answered; a thread sends it to who keeps scores."""
        client: Address | None = getattr(request, CLIENT)
        if client is None:
            return
        kind = KINDS.get(answer.status_code, "ok")
        if kind == "missing" and request.path.endswith(settings.TRAPS):
            kind = "trap"
        if kind == "login failed":
            logins.failed(request, client)
        self._note(request, client, kind, answer.status_code)

    @staticmethod
    def _note(request: HttpRequest, client: Address, kind: Kind, status: int) -> None:
        reporter().note(Seen(time.time(), account(client), kind, request.path, status))

    def replace(self, name: str, lines: Iterable[str]) -> dict[str, object]:
        feed, result = ledger.import_feed(name, lines, Actor("operator"))
        return {
            "version": feed.version,
            "networks": feed.networks,
            "malformed": result.malformed,
            "filtered": result.filtered,
            "rejected": result.rejected,
        }

    def drop(self, name: str) -> None:
        ledger.drop_feed(name, Actor("operator"))
