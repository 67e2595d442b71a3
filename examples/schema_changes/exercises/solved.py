"""The solution under the reader's name: a variant that wins every claim."""

from flights.expand_contract import steps
from flights.own import TABLE, Step
from flights.variants import VARIANTS

CHANGES = VARIANTS[-1].changes
STEPS = (
    Step(steps.expand(TABLE), "late, cause", atomic=False),
    Step(steps.backfill(TABLE), "late, cause", atomic=False),
    Step(steps.not_null(TABLE), "delay_minutes, cause", atomic=False),
    Step(steps.contract(TABLE), "delay_minutes, cause", atomic=False),
    Step(steps.retire_cause(TABLE), "delay_minutes", atomic=False),
)
