"""Secrets made up for a release that fails, looked for in every place where others see what it says."""

import json
from base64 import b64encode
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
)

from . import at
from .beside.image import BUILT, HISTORY, history

# Variant -> its settings, and where its secrets are.
KEPT = {
    "as_usual": ("config.settings_as_usual", "variables"),
    "blue_green": ("config.settings", "files"),
}
# What each place shows if the search saw it at all: an empty one would prove nothing.
SHOWS = {
    "debug page": ("PaymentError", "OperationalError", "Request information"),
    "environment of the process": ("PAYMENTS=1",),
    "environment of its child": ("PAYMENTS=1",),
    "process list": ("gunicorn",),
    "error mail, plain": ("PaymentError", "OperationalError"),
    "error mail, html": ("PaymentError", "OperationalError"),
    "subject of an error mail": ("/api/bookings/",),
    "log": ("PaymentError", "OperationalError"),
}


class NoSecretInSight(Experiment):
    slug = "no-secret-in-sight"
    claim = (
        "A release whose payment and database fail shows its three secrets in none of eight places: "
        "debug page, error mails, log, process list and environments; in containers image history is a ninth."
    )
    holds = ("blue_green",)
    refuted = ("as_usual",)
    shown = Series("places that show a secret")
    secrets = Series("secrets in this place")
    searched = Series("places searched")
    chart = Chart(shown, "places that show a secret", x="places searched", bound=0)
    live = (secrets,)
    reports = (
        (
            "jazzband/dj-database-url#282",
            "the debug page shows the password of DATABASE_URL",
            "hidden by its value on the page, in the mail and in the log",
        ),
        (
            "codingjoe/django-health-check#289",
            "BROKER_URL stands in the mail about an error: only names such as PASSWORD are masked",
            "PAYMENT_URL and DATABASE_URL are hidden, whatever they are called",
        ),
        (
            "Uninett/nav#4175",
            "local variables in the mail about an error show credentials of the database",
            "no local variable shows one: not psycopg's own, nor an HTTP field in Base64",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        kept = KEPT.get(variant, KEPT["blue_green"])
        said = json.loads(stack.manage(*at("planted.py", f"expose{kept}")))
        places: dict[str, str] = said["places"]
        needles = {core for each in said["planted"].values() for core in spellings(each)}
        looked = dict(SHOWS)
        if stack.kind == "compose":
            looked[HISTORY] = ("manage.py check",)
            places[HISTORY], more = history(
                container(stack), BUILT.get(variant, BUILT["blue_green"])
            )
            needles |= more
        shown = 0
        for number, (place, expected) in enumerate(looked.items(), 1):
            text = places.get(place, "")
            if missing := [words for words in expected if words not in text]:
                raise ExperimentError(f"{place} was not seen: there is no {missing[0]!r} in it")
            found = sum(needle in text for needle in needles)
            shown += found > 0
            yield self.secrets(found, x=number)
            yield self.shown(shown, x=number)
            yield self.searched(number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = f"{{measured}} of {samples.last(self.searched):.0f} places show a secret"
        return Verdict.at_most(samples.last(self.shown), 0, words)


def spellings(core: str) -> tuple[str, str]:
    """Return how a random core is written: as it is, and as HTTP sends it after `shop:`, in whole triples."""
    return core, b64encode(f"shop:{core}".encode()[:36]).decode()


def container(stack: Stack) -> str:
    """Return what Docker knows the service by."""
    code = "import socket; print(socket.gethostname())"
    return stack.manage("shell", "--no-imports", "-c", code).split()[-1]
