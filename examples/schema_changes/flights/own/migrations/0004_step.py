"""The third step of the reader."""

from . import Migration

__all__ = ["Migration"]
