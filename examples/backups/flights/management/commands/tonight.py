"""Say what one way of keeping knows of its backups in the same night; ends with 1 if they are not good."""

from flights.keeping import checked
from flights.reporting import ReportingCommand


class Command(ReportingCommand):
    help = __doc__
    act = staticmethod(checked)
