"""What a benchmark stands on: a Redis that says who it is, and a process of its own for each measurement."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError


def redis_server(url: str) -> Mapping[str, Any]:
    """Return `INFO server` of the Redis at `url`; end with one sentence if it does not answer."""
    try:
        server: Any = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2).info("server")
    except (RedisError, ValueError) as error:
        raise SystemExit(f"REDIS_URL {url!r} does not answer: {error}") from error
    return server


def measured_alone(script: Path, *arguments: str) -> dict[str, float]:
    """Return what `script` prints as JSON, from a process of its own; end with its last line if it fails."""
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{', '.join(arguments)}: {done.stderr.strip().splitlines()[-1]}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
