"""Put one way of keeping in force; what it has kept until now is moved aside."""

from argparse import ArgumentParser

from flights.keeping import begin
from flights.reporting import ReportingCommand


class Command(ReportingCommand):
    help = __doc__
    act = staticmethod(begin)
    takes = ("forget",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--forget", action="store_true", help="remove what it has kept")
