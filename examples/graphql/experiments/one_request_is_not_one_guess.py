"""Documents that try to sign in many times, by aliases: guesses that reach the database."""

from collections.abc import Iterator

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import Told, costed, rows

GUESSES = (5, 6, 60, 1_000)  # in a document; the last of each is right
MOST = 5


class OneRequestIsNotOneGuess(Experiment):
    slug = "one-request-is-not-one-guess"
    claim = (
        "Of 6, 60 and 1,000 guesses of a booking's reference in one document at most 5 are tried, and "
        "none that comes later signs in; a document with 5 is answered."
    )
    holds = ("priced",)
    refuted = ("resolvers",)
    reports = (
        (
            "OpenCTI-Platform/opencti#6898",
            "aliases sign in many times in one request, which a limit of requests counts once",
            "the price of the field is counted for each use",
        ),
        (
            "VilnaCRM-Org/user-service#463",
            "many aliases of a mutation in one document take one token of the limiter",
            "a document of many such fields costs too much to begin",
        ),
    )
    tried = Series("guesses tried of one document")
    hits = Series("documents of more than 5 that signed in")
    answered = Series("documents of 5 that signed in")
    chart = Chart(tried, "guesses tried", x="guesses in the document", mark="points", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        ((right,),) = rows(stack, "SELECT reference FROM flights_booking WHERE id = 1")
        hits = allowed = 0
        for guesses in GUESSES:
            wrong = [f"{n:06d}" for n in range(guesses - 1)]
            fields = " ".join(
                f'g{n}: signIn(name: "Passenger 1", reference: "{reference}")'
                for n, reference in enumerate([*wrong, right])
            )
            told = costed(stack, variant, f"mutation{{{fields}}}")
            signed_in = self._signed_in(told, guesses)
            allowed += signed_in and guesses <= MOST
            hits += signed_in and guesses > MOST
            yield self.answered(allowed, x=guesses)
            yield self.hits(hits, x=guesses)
            yield self.tried(told.statements, x=guesses)

    def _signed_in(self, told: Told, guesses: int) -> bool:
        return bool((told.data or {}).get(f"g{guesses - 1}"))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} guesses of one document tried, {bound} are allowed"
        tried = Verdict.at_most(max(samples.values(self.tried), default=0), MOST, words)
        hits = Verdict.at_most(samples.last(self.hits), 0, "{measured} documents signed in by more")
        if not tried.holds:
            return tried
        words = "{measured} of {bound} documents of 5 signed in"
        return tried & hits & Verdict.exactly(samples.last(self.answered), 1, words)
