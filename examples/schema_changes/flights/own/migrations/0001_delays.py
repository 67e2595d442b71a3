"""The table as it was: that of `in_place`."""

from importlib import import_module

Migration = import_module("flights.in_place.migrations.0001_delays").Migration
