"""Put one way of keeping in force; what it has kept until now is moved aside."""

from flights.keeping import begin
from flights.reporting import ReportingCommand


class Command(ReportingCommand):
    help = __doc__
    act = staticmethod(begin)
