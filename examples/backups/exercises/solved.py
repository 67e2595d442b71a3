"""The solution under the reader's name: a variant that wins every claim."""

from flights.ways.received import begin, check, keep, processes, ready, restored

__all__ = ["begin", "check", "keep", "processes", "ready", "restored"]
