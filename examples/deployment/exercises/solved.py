"""The solution under the reader's name: a variant that wins every claim."""

from typing import Any

from ways import blue_green

OPERATED: dict[str, Any] = {"gated": True}
change = blue_green.change
