"""The first step of the reader."""

from . import Migration

__all__ = ["Migration"]
