"""What a detector sees: requests by client and window, added up over all processes in Redis."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from prometheus_client import Counter as Metric
from prometheus_client import Gauge
from redis import Redis
from redis.exceptions import RedisError

from .detector import Caller, Detector, Suspect
from .log import AbuseLog

CLIENTS = Gauge(
    "limiter_tracked_clients", "Clients in the last window.", multiprocess_mode="mostrecent"
)
LOST_WINDOWS = Metric("limiter_lost_windows", "Windows of abuse detection not shared in Redis.")
CLIENTS_COUNTED = 2_000  # by a process, in a window
GRACE_SECONDS = 0.5  # for the slowest process to add its share


class Watch:
    """Count in memory, share once a window, judge the sum: a request pays for an addition only.

    A load balancer shows each process a fraction of a client, and a fraction of an abuser looks
    normal. While Redis does not answer, a process judges the fraction that it knows.
    """

    def __init__(
        self,
        detector: Detector,
        redis: "Redis",
        *,
        window_seconds: float = 2,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.detector, self.redis = detector, redis
        self.window_seconds, self.clock = window_seconds, clock
        self.log = AbuseLog(redis)
        self._counts: Counter[Caller] = Counter()
        self._lock = threading.Lock()

    def start(self) -> "Watch":
        """Share and judge from a thread, for as long as the process lives."""
        threading.Thread(target=self._run, name=f"watch-{self.detector.name}", daemon=True).start()
        return self

    def observe(self, caller: Caller) -> None:
        """Count one request, in bounded memory.

        With too many clients all counts shrink by one (Misra and Gries, 1982): a count is then too
        small, never too large, so that nobody is named for what somebody else did.
        """
        with self._lock:
            if caller in self._counts or len(self._counts) < CLIENTS_COUNTED:
                self._counts[caller] += 1
            else:
                self._counts = Counter({who: n - 1 for who, n in self._counts.items() if n > 1})

    def share(self, window: int) -> Counter[Caller]:
        """Add what was counted since the last call to the window's sum, and return it."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts:
            pipeline = self.redis.pipeline(transaction=False)
            for caller, count in counts.items():
                pipeline.hincrby(self._key(window), "\n".join(caller), count)
            pipeline.expire(self._key(window), int(5 * self.window_seconds) + 1)
            try:
                pipeline.execute()
            except RedisError:
                LOST_WINDOWS.inc()
        return counts

    def judge(self, window: int, own: Mapping[Caller, int]) -> list[Suspect]:
        """Judge the window's sum, or *own* counts without Redis, and report who is abnormal."""
        counts = own
        try:
            fields: dict[bytes, bytes] = self.redis.hgetall(self._key(window))  # type: ignore[assignment]  # typed for both clients
            counts = {Caller(*who.decode().split("\n")): int(n) for who, n in fields.items()}
        except RedisError:
            pass
        CLIENTS.set(len(counts))
        suspects = self.detector.judge(counts)
        for suspect in suspects:
            self.log.report(suspect, self.detector.name, self.window_seconds, self.clock())
        return suspects

    def _run(self) -> None:
        while True:
            window = int(self.clock() / self.window_seconds)
            time.sleep(max(0.0, (window + 1) * self.window_seconds - self.clock()))
            counted = self.share(window)
            time.sleep(GRACE_SECONDS)
            self.judge(window, counted)

    def _key(self, window: int) -> str:
        return f"limiter:seen:{self.detector.name}:{window}"
