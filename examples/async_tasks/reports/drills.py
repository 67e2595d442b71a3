"""What an operator may ask a job to do: be slow, or fail."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from jobs.run import Transient


def practise(
    drill: Mapping[str, Any] | None, progress: Callable[[float], None] = lambda _: None
) -> None:
    """Be as slow as *drill* says, and fail as it says.

    Raises:
        Transient, ValueError: it asks for one.
    """
    asked = drill or {}
    seconds = float(asked.get("seconds", 0))
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress(0.9 * (1 - left / seconds))
        time.sleep(min(left, 0.2))
    match asked.get("fault"):
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "transient":
            raise Transient("the drill's upstream answers 503")
        case "permanent":
            raise ValueError("the drill's upstream answers 400")
