"""Do what one way of keeping does each night; ends with 1 if that fails."""

from flights.keeping import kept
from flights.reporting import ReportingCommand


class Command(ReportingCommand):
    help = __doc__
    act = staticmethod(kept)
