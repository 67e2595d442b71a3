"""Charge for a booking: one request to the provider at PAYMENT_URL."""

from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import unquote, urlsplit

from django.conf import settings

PATIENCE_SECONDS = 2


class PaymentError(RuntimeError):
    """The provider has not charged."""


def charge(key: str) -> str:
    """Return the provider's receipt; the same key is charged once.

    Raises:
        PaymentError: it does not answer, or refuses.
    """
    url = urlsplit(settings.PAYMENT_URL)
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    credentials = b64encode(unquote(f"{url.username}:{url.password}").encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Idempotency-Key": key}
    connection = connect(url.hostname or "", url.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", url.path or "/", headers=headers)
        answer = connection.getresponse()
        receipt = answer.read(64).decode()
    except (OSError, HTTPException, ValueError) as error:
        # As clients of HTTP say it, with the whole address: no report of an error may show it.
        raise PaymentError(f"{settings.PAYMENT_URL!r} does not answer") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise PaymentError(f"{settings.PAYMENT_URL!r} answered {answer.status}")
    return receipt
