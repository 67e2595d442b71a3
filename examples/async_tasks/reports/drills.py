"""What an operator may ask a job to do: be slow, or fail."""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from jobs.run import Transient


def practise(drill: Mapping[str, Any] | None) -> None:
    """Be as slow as *drill* says, and fail as it says.

    Raises:
        Transient, ValueError: it asks for one.
    """
    asked = drill or {}
    time.sleep(float(asked.get("seconds", 0)))
    match asked.get("fault"):
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "transient":
            raise Transient("the drill's upstream answers 503")
        case "permanent":
            raise ValueError("the drill's upstream answers 400")
