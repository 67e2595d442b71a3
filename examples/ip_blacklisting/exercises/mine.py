"""Your own guard. It begins as the middleware of most tutorials: the first hop, and a row for each address.

Win `one-attacker-one-key` first: `client` and `ban` write one address in two ways; then `headers-do-not-lie`.
PostgreSQL, Redis (`settings.REDIS_URL`) and every module here are at hand; each process has its own GUARD.
Two claims ask for one more method, `replace`, as flights/guards/shield.py has it.
"""

from django.http import HttpRequest, HttpResponse
from flights.models import BlockedAddress


class Guard:
    def client(self, request: HttpRequest) -> str:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        return forwarded.split(",")[0].strip() or str(request.META["REMOTE_ADDR"])

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        banned = BlockedAddress.objects.filter(address=self.client(request)).exists()
        return HttpResponse("Forbidden", status=403) if banned else None

    def ban(self, network: str) -> None:
        BlockedAddress.objects.get_or_create(address=network)

    def unban(self, network: str) -> None:
        BlockedAddress.objects.filter(address=network).delete()


GUARD = Guard()
