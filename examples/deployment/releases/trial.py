"""A share of the requests for a new release, before it gets all of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from .gate import Refused, wait
from .proxy import FULL, Proxy


@dataclass(frozen=True)
class Trial:
    """How a new release is tried out.

    Attributes:
        weight: beside the old one's 100.
        answers: that end the trial.
        errors: that send the new release back.
        seconds: after which it ends even without so many answers.
    """

    weight: int = 20
    answers: int = 20
    errors: int = 3
    seconds: float = 10
    sleep: Callable[[float], None] = time.sleep

    def pass_(self, proxy: Proxy, old: int, new: int, ended: Callable[[], str]) -> None:
        """Send some requests to port `new`, and return once enough of them were answered well.

        Raises:
            Refused: too many were not, or it ended.
        """
        total_before, errors_before = proxy.answers(new)

        def judged() -> int:
            total, failed = proxy.answers(new)
            answers, errors = total - total_before, failed - errors_before
            if fault := ended():
                raise Refused(f"it ended while it was tried out: {fault}")
            if errors >= self.errors:
                raise Refused(f"{errors} of its first {answers} answers were errors")
            return answers

        proxy.route({old: FULL, new: self.weight})
        try:
            wait(lambda: judged() >= self.answers, self.seconds, self.sleep)
        finally:  # before anything else: each moment costs a client of a bad release its answer
            proxy.route({old: FULL, new: 0})
        # An error may take longer than an answer: those that are under way are waited for.
        wait(lambda: not proxy.under_way(new), self.seconds, self.sleep)
        judged()
