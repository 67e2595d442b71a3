"""The limits of this service, by rule set.

Loaded on first use and by the system checks, so that a limit which means nothing is one sentence
at start-up.
"""

from typing import Final

from limiter.policy import OnFailure, Policy, Rate, RuleSet, Scope

MINUTE = Rate(100, 60)

RULES: Final = (
    RuleSet("airports", (Policy("airports", 100, MINUTE),)),
    # Never more than 100 in any 4 seconds: a burst of 20, and 80 that refill meanwhile. Closed, because
    # processes that count apart from each other cannot keep a promise about all of them.
    RuleSet(
        "strict",
        (
            Policy.strict(
                "strict", limit=100, window_seconds=4, burst=20, on_failure=OnFailure.CLOSED
            ),
        ),
    ),
    RuleSet("steady", (Policy("steady", 3, Rate(3, 2)),)),
    RuleSet("open", (Policy("open", 100, MINUTE, on_failure=OnFailure.OPEN),)),
    RuleSet("closed", (Policy("closed", 100, MINUTE, on_failure=OnFailure.CLOSED),)),
    RuleSet("bulk", (Policy("bulk", 5000, Rate(5000, 3600)),)),
    RuleSet(
        "tiered",
        (
            Policy("client", 20, Rate(20)),
            Policy("route", 200, Rate(200), scope=Scope.ROUTE),
            Policy("global", 400, Rate(400), scope=Scope.GLOBAL),
        ),
    ),
    RuleSet("shadow", (Policy("shadow", 100, MINUTE, shadow=True),)),
)
