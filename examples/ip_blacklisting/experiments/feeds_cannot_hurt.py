"""What arrives instead of a list some day lets nobody in and locks nobody out."""

import itertools
import json
import time
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    UnexpectedAnswer,
    Verdict,
    ask,
    rest,
)

from . import (
    KNOWN_SECONDS,
    PROCESSES,
    Operator,
    many_networks,
    processes_that,
    refused,
    sent_by,
    served,
    stranger,
    url,
)


class FeedsCannotHurt(Experiment):
    """A good list first; then each bad one, and whether it lets somebody in, or locks somebody out."""

    slug = "feeds-cannot-hurt"
    claim = (
        "A feed that is empty, an error page, ten times as long, or contains 0.0.0.0/0 or private networks "
        "hurts nobody and is reported; one in another format refuses the same."
    )
    holds = ("shield",)
    refuted = ("bisect",)
    wrong = Series("answers")
    silent = Series("bad lists without a report")
    lists = Series("lists")
    chart = Chart(wrong, "wrong answers", x="lists", bound=0)

    # A list that took effect would do so within these, and stay; the last is watched for longer.
    WATCH_SECONDS, LAST_SECONDS = 0.25, 1.3
    ENOUGH_WRONG = 20
    LISTED = "203.0.113.77"

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator, target = Operator(stack, variant), url(stack, variant)
        good = [f"198.51.100.{n}" for n in range(200)] + [self.LISTED]
        wrong = silent = 0
        try:
            operator.feed("test", "\n".join(good))
            seen = dict(processes_that(refused, target, sent_by(self.LISTED), KNOWN_SECONDS))
            if len(seen) < PROCESSES:
                raise UnexpectedAnswer("the good list refuses nobody")
            lists = [*other_formats(good), *bad_lists(good)]
            bad = len(lists) - len(bad_lists(good))
            for number, each in enumerate(lists):
                status, report = operator.feed("test", each)
                said = report.get("rejected") or status == 422
                silent += number >= bad and not said
                is_last = number == len(lists) - 1
                end = time.monotonic() + (self.LAST_SECONDS if is_last else self.WATCH_SECONDS)
                while time.monotonic() < end:
                    wrong += served(ask(target, sent_by(self.LISTED)))
                    wrong += not served(ask(target, sent_by(stranger())))
                    rest(0.02)
                yield self.lists(number + 1)
                yield self.silent(silent)
                yield self.wrong(wrong, x=number + 1)
                if wrong >= self.ENOUGH_WRONG:
                    return
        finally:
            operator.drop_feed("test")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        wrong = Verdict.at_most(samples.last(self.wrong), 0, "{measured} wrong answers")
        words = f"{{measured}} of {samples.last(self.lists):.0f} bad lists taken without a report"
        return wrong & Verdict.at_most(samples.last(self.silent), 0, words)


def other_formats(good: list[str]) -> list[str | bytes]:
    """Return the list as others publish it: in many formats, in each of three, and in UTF-16."""
    forms = (
        lambda address: f"{address}-{address}",
        lambda address: f"Some org: #1:{address}-{address}",
        lambda address: f"{padded(address)} - {padded(address)} , 000 , Some org",
        lambda address: f"{address}\t17",
        lambda address: f'"{address}","2026-11-28","ssh"',
        lambda address: f"{address}/255.255.255.255 # by: 198.18.0.0-198.18.255.255",
        lambda address: json.dumps({"cidr": f"{address}/32"}),
        lambda address: f"{address},{address},AU",
    )
    mixed = [form(each) for form, each in zip(itertools.cycle(forms), good, strict=False)]
    each_alone = ["\r\n".join(map(form, good)) for form in forms[:3]]
    return ["\n".join(mixed), *each_alone, "\n".join(good).encode("utf-16")]


def padded(address: str) -> str:
    return ".".join(f"{int(part):03}" for part in address.split("."))


def bad_lists(good: list[str]) -> list[str | bytes]:
    """Return what arrives instead of a list some day."""
    return [
        "",
        "<html><head><title>502 Bad Gateway</title></head>\n<body>\n<h1>502</h1>\n</body></html>",
        "\n".join([*good, "0.0.0.0/0", "::/0"]),
        "\n".join([*good, "10.0.0.0/8", "127.0.0.0/8", "fe80::/10", "198.0.0.0/7"]),
        "\n".join([*good, *many_networks(10 * len(good))]),
        "\n".join([*good[:-1], "203.0.113.7", "203.0.113.77/", "not an address"])[:1000],
    ]
