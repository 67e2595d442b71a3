"""A share of the requests for a new release, before it gets all of them.

The first error ends it, and the proxy sees to that: a program that looks would see it some errors later.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from .gate import Refused, Sleep, wait
from .proxy import AT_A_TIME, HAProxy


@dataclass(frozen=True)
class Trial:
    """How a new release is tried out.

    Attributes:
        weight: beside the old one's 100.
        answers: that end the trial.
        seconds: after which it ends even without so many answers.
    """

    weight: int = 20
    answers: int = 20
    seconds: float = 10
    sleep: Sleep = time.sleep

    def pass_(self, proxy: HAProxy, port: int, ended: Callable[[], str]) -> None:
        """Send some requests to `port`, and return once enough of them were answered well.

        Raises:
            Refused: one was not, or the release ended.
        """
        _, total, failed = proxy.tried()

        def over() -> bool:
            if fault := ended():
                raise Refused(f"it ended while it was tried out: {fault}")
            weight, answers, errors = proxy.tried()
            if not weight:
                raise Refused("the proxy was started again while it was tried out")
            return errors > failed or answers >= total + self.answers

        proxy.try_out(port, self.weight)
        try:
            wait(over, self.seconds, self.sleep)
        finally:
            proxy.try_out(port, 0)
        # An error may take longer than an answer: those that are under way are waited for.
        wait(lambda: not proxy.under_way(port), self.seconds, self.sleep)
        _, answers, errors = proxy.tried()
        if errors > failed:
            raise Refused(f"{errors - failed} of its first {answers - total} answers were errors")
        if proxy.under_way(port) >= AT_A_TIME:
            raise Refused(f"{AT_A_TIME} of its first requests took more than {self.seconds:.0f} s")
