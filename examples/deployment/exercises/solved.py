"""The solution under the reader's name: a variant that wins every claim."""

from typing import Any

from ways.crew import Crew

OPERATED: dict[str, Any] = {"gated": True}
change = Crew.replace_live
