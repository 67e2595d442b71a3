"""Visitors of a page that points its images, frames and forms here; and a carrier's exit in a busy moment."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    expect,
    volley,
)

from . import judged, sent_by, signs_in, some_address, url

CROWD = 70  # good requests within two seconds from one address
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
OWN = IMAGE | {
    "Sec-Fetch-Site": "same-origin"
}  # what a user writes may be shown by the site itself
FRAME = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
TRAPS = ("wp-login.php", ".env", "xmlrpc.php", ".git/config")


class PeopleAreLeftAlone(Experiment):
    slug = "people-are-left-alone"
    claim = (
        "Of 10 people who open a page whose images, frames, links and forms point at traps and at the "
        "login, and of a carrier's exit with 70 good requests in two seconds, nobody is refused; and a "
        "scanner that says it is an image is told nothing."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    reports = (
        (
            "crowdsecurity/crowdsec#3561",
            "57 good requests in eight seconds, by who scrolls through an album, are a ban",
            "good requests refuse nobody",
        ),
    )
    refused = Series("people refused")
    told = Series("answers to a scanner that says it is an image")
    chart = Chart(refused, "people refused", x="people", bound=0)
    parameters = (Parameter("people", 10, 5, 200, "people"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        people = [some_address() for _ in range(int(params["people"]))]
        carrier, scanner = some_address(), some_address()
        requests = [each for address in people for each in visit(stack, variant, address)]
        crowd = [
            Request(url(stack, variant), sent_by(carrier, **signed_in(n))) for n in range(CROWD)
        ]
        yield clock_starts()
        for answer in volley(requests, processes=1, connections=4):
            expect(answer, 401, 403, 404)
        for answer in volley(crowd, processes=1, connections=4, rate=CROWD / 2):
            expect(answer, 200, 403)
        scan = [
            Request(url(stack, variant, f"{n}.php"), sent_by(scanner) | IMAGE) for n in range(30)
        ]
        answers = list(volley(scan, processes=1, connections=1))
        yield self.told(sum(expect(each, 404, 403).status == 404 for each in answers))
        judged(stack, variant)
        refused = 0
        for number, address in enumerate([*people, carrier], 1):
            answer = expect(ask(url(stack, variant), sent_by(address)), 200, 403)
            refused += answer.status == 403
            yield self.refused(refused, x=number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {params['people'] + 1:.0f} addresses of people refused"
        refused = Verdict.at_most(samples.last(self.refused), 0, words)
        told = "{measured} of 30 answers told a scanner something"
        return refused & Verdict.at_most(samples.last(self.told), 0, told)


def visit(stack: Stack, variant: str, address: str) -> Iterator[Request]:
    """Yield what a browser sends for the images, frames, links and forms of another site's page."""
    for how in (IMAGE, FRAME):
        for trap in TRAPS:
            yield Request(url(stack, variant, trap), sent_by(address) | how)
    for number in range(30):
        yield Request(url(stack, variant, f"img/{number}.gif"), sent_by(address) | IMAGE)
        yield Request(url(stack, variant, f"own/{number}.gif"), sent_by(address) | OWN)
    yield Request(url(stack, variant, TRAPS[0]), sent_by(address) | LINK)
    form = sent_by(address) | LINK
    for _ in range(12):
        yield Request(url(stack, variant, "login/"), form, "POST")


def signed_in(number: int) -> dict[str, str]:
    """Return the headers of every third of a crowd; the others are nobody in particular."""
    return {} if number % 3 else {"Authorization": signs_in(f"passenger-{number}")}
