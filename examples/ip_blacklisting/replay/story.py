"""One replay told: who got how far, what they were banned for, and how near people came to it."""

from collections.abc import Iterator

from shield.addresses import Address, Network
from shield.scores import Detector, Event, Verdict

from replay.rules import run
from replay.traffic import BOUNDS, EXITS, PEOPLE, PEOPLES_ADDRESSES

LINE = "{:<17} {:>8} {:>8}  {}"


def story(seed: int) -> Iterator[str]:
    """Yield a table, line by line."""
    detector = Detector()
    peaks: dict[Network, float] = {}

    def rule(event: Event) -> Verdict | None:
        verdict = detector.observe(event)
        if event.kind != "ok":
            score = detector.score(event.account, event.seconds)
            peaks[event.account] = max(peaks.get(event.account, 0), score)
        return verdict

    outcome = run(seed, rule)
    yield LINE.format("who", "served", "refused", "banned for")
    for name in BOUNDS:
        verdict = outcome.stopped.get(name)
        why = described(verdict) if verdict else "nothing"
        yield LINE.format(name, outcome.through[name], outcome.refused[name], why)
    served = outcome.events - outcome.refused.total() - sum(outcome.through.values())
    people = f"{len(outcome.people)} of {PEOPLE + EXITS} people"
    yield LINE.format("people", served, outcome.refused["people"], people)
    scores = sorted((score for who, score in peaks.items() if of_people(who)), reverse=True)
    near = ", ".join(f"{score:.0f}" for score in scores[:5])
    yield f"The highest scores of people, of {detector.rules.ban_at:.0f}: {near}"


def described(verdict: Verdict) -> str:
    parts = ", ".join(f"{name} {value:g}" for name, value in verdict.parts.items())
    return f"{verdict.reason} ({parts}): {verdict.scope.name.lower()}"


def of_people(account: Network) -> bool:
    return PEOPLES_ADDRESSES.contains(Address(account.version, account.value))
