"""A release that begins to charge for bookings: it is the first that needs PAYMENT_URL."""

import os

os.environ["PAYMENTS"] = "1"

from config.wsgi import application  # noqa: E402 -- the settings read the line above

__all__ = ["application"]
