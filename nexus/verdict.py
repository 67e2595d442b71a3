"""Whether a claim holds, and the judged figure in words that it writes itself."""

from dataclasses import dataclass
from typing import Self

THICK = 2  # times the bound: a refutation that no bad moment of a machine brings about


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the claim holds, with the judged figure (`225 requests admitted, the limit allows 102`).

    Made by `at_most`, `at_least` or `exactly`; `first & second` and `first.provided(second)` hold if both do.

    Attributes:
        final: no further sample can make it hold.
        thick: refuted by twice the bound or more.
    """

    holds: bool
    figure: str
    measured: float
    bound: float
    final: bool
    thick: bool

    @classmethod
    def at_most(cls, measured: float, bound: float, words: str) -> Self:
        """Judge what only grows while the experiment runs; a figure that may fall waits for the end.

        Args:
            words: the figure, with `{measured}` (or `{measured:job}`) and, unless it is 0, `{bound}` in it.
        """
        holds = measured <= bound
        thick = not holds and measured >= THICK * bound
        return cls(holds, _figure(words, measured, bound), measured, bound, not holds, thick)

    @classmethod
    def at_least(cls, measured: float, bound: float, words: str) -> Self:
        """Judge what has to grow up to `bound`: until the run is over it is not refuted."""
        holds = measured >= bound
        thick = not holds and measured * THICK <= bound
        return cls(holds, _figure(words, measured, bound), measured, bound, False, thick)

    @classmethod
    def exactly(cls, measured: float, bound: float, words: str) -> Self:
        """Judge what has to become `bound` and never more."""
        thick = measured >= THICK * bound or measured * THICK <= bound
        figure = _figure(words, measured, bound)
        holds = measured == bound
        return cls(holds, figure, measured, bound, measured > bound, not holds and thick)

    def __and__(self, other: Self) -> Self:
        """Hold if both do; the judged number is that of the first that is refuted."""
        first = other if self.holds and not other.holds else self
        refuted = [each for each in (self, other) if not each.holds]
        return type(self)(
            not refuted,
            f"{self.figure}; {other.figure}",
            first.measured,
            first.bound,
            any(each.final for each in refuted),
            any(each.thick for each in refuted),
        )

    def provided(self, other: Self) -> Self:
        """Hold only if `other` does, too, which is worth words when it does not."""
        return self if other.holds else self & other


def _figure(words: str, measured: float, bound: float) -> str:
    shown = words.format(measured=_Shown(measured), bound=_Shown(bound))
    if "{measured" not in words or (bound and "{bound" not in words):
        raise ValueError(f"the figure {words!r} has to name {{measured}} and {{bound}}")
    return shown


class _Shown(float):
    """A number as people write it, `1,002` or `0.25`, and of what: `{:job}` is `1 job` or `2 jobs`."""

    def __format__(self, spec: str) -> str:
        if spec.isalpha():
            return f"{self} {spec if float(self) == 1 else f'{spec}s'}"
        if spec:
            return format(float(self), spec)
        return f"{self:,.0f}" if self.is_integer() or abs(self) >= 100 else f"{float(self):.3g}"
