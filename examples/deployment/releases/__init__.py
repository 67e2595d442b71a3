"""Replaces a running release by another one, so that no request notices and a bad one never gets that far."""

from .gate import Refused
from .journal import Journal, Release, State
from .switch import Switch

__all__ = ["Journal", "Refused", "Release", "State", "Switch"]
