"""The limits of this service, by rule set."""

from collections.abc import Mapping
from typing import Final

from limiter.policy import OnFailure, Policy, Rate, RuleSet

MINUTE = Rate(100, 60)
# Never more than 10 in any second: a burst of 5, and 5 that refill meanwhile. Closed, because
# processes that count apart from each other cannot keep a promise about all of them.
STRICT = Policy.strict("strict", limit=10, window_seconds=1, burst=5)

RULES: Final[Mapping[str, RuleSet]] = {
    rules.name: rules
    for rules in (
        RuleSet("airports", (Policy("airports", 100, MINUTE),)),
        RuleSet("strict", (STRICT,), OnFailure.CLOSED),
        RuleSet("steady", (Policy("steady", 3, Rate(3, 2)),)),
        RuleSet("open", (Policy("open", 100, MINUTE),), OnFailure.OPEN),
        RuleSet("closed", (Policy("closed", 100, MINUTE),), OnFailure.CLOSED),
        RuleSet("bulk", (Policy("bulk", 5000, Rate(5000, 3600)),)),
        RuleSet("tiered", (Policy("second", 10, Rate(10)), Policy("hour", 30, Rate(30, 3600)))),
    )
}
