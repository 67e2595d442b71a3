"""The claims of this example, each driven against a running stack and judged from what the database knows.

Whatever a variant does leaves two traces, which nobody but the experiments reads: a row for each run that
begins, and a report for each one that ends. Drills, which staff may ask for, make jobs slow or fail.
"""

import json
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

import psycopg
from redis import Redis

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Stack,
    UnexpectedAnswer,
    Verdict,
    ask,
    last,
    rest,
    values,
    volley,
)

QUICK = {"airline": "HA", "month": 1, "resamples": 0}  # 31 flights
WORKER = {"fire_and_forget": "tutorial", "durable": "worker"}
FEW = 64
PATIENCE = 60.0  # s without anything new, after which nothing is expected any more
GONE = 1.0  # s of that are enough where nothing can come


class Database:
    """What the database knows of a set of jobs."""

    def __init__(self, stack: Stack) -> None:
        self._connection = psycopg.connect(stack.services["postgres"], autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is left: what runs is fenced off, what comes later runs nothing."""
        self._connection.execute(
            "UPDATE jobs_job SET state = 'cancelled', arguments = arguments - 'drill'"
            " WHERE state IN ('queued', 'running')"
        )
        self.resolve()
        self._connection.close()

    def resolve(self) -> None:
        """Close every dead letter."""
        self._connection.execute(
            "UPDATE jobs_deadletter SET resolved_at = now() WHERE resolved_at IS NULL"
        )

    def effects(self, jobs: Sequence[str]) -> tuple[int, int]:
        """Return how many of the jobs have a report, and how many reports they have together."""
        query = (
            "SELECT count(DISTINCT job_id), count(*) FROM reports_report WHERE job_id = ANY (%s)"
        )
        row = self._connection.execute(query, [list(jobs)]).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def done(self, job: str) -> bool:
        return self.effects([job])[0] == 1

    def runs(self, jobs: Sequence[str]) -> int:
        """Return how many runs of the jobs have begun."""
        return self.number("SELECT count(*) FROM jobs_run WHERE job_id = ANY (%s)", list(jobs))

    def waiting(self, jobs: Sequence[str]) -> int:
        """Return how many of the jobs no worker has begun."""
        query = (
            "SELECT count(*) FROM unnest(%s::uuid[]) AS job"
            " WHERE NOT EXISTS (SELECT FROM jobs_run WHERE job_id = job)"
        )
        return self.number(query, list(jobs))

    def number(self, query: str, *args: object) -> int:
        row = self._connection.execute(query, args).fetchone()
        return int(row[0]) if row else 0

    def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, args).fetchall()

    def wait(self, condition: Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
        """Return whether the condition has become true within the time."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            rest(step)
        return True


def broker(stack: Stack) -> str:
    return "rabbitmq" if "rabbitmq" in stack.services else "redis"


def asking(
    stack: Stack, variant: str, drill: dict[str, object] | None = None, **more: object
) -> Request:
    """Return the request for a report, with a drill that staff may ask for."""
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {stack.staff_token}",
    }
    if key := more.pop("key", None):
        headers["Idempotency-Key"] = str(key)
    document = {**QUICK, **more, **({"drill": drill} if drill else {})}
    return Request(
        f"{stack.url}/api/{variant}/reports/", headers, "POST", json.dumps(document).encode()
    )


def accepted(answer: Answer, status: int = 202) -> str:
    """Return the id of the job that was asked for.

    Raises:
        UnexpectedAnswer: the answer has another status.
    """
    if answer.status != status:
        raise unexpected(answer)
    document = json.loads(answer.body)
    return str(document.get("id") or document["job"])


def unexpected(answer: Answer) -> UnexpectedAnswer:
    said = answer.error or answer.body[:300].decode(errors="replace")
    return UnexpectedAnswer(f"status {answer.status}: {said}")


def submitted(requests: Sequence[Request]) -> list[str]:
    """Send all of them, and return the ids of their jobs.

    Many are sent by client processes, which take longer to start than a few requests do.
    """
    if len(requests) > FEW:
        return [accepted(answer) for answer in volley(requests, processes=2, connections=8)]
    with ThreadPoolExecutor(8) as pool:
        return [accepted(answer) for answer in pool.map(ask, requests)]


def latest(samples: Sequence[Sample], series: str) -> float:
    """Return the latest value; ValueError if there is none yet."""
    if not values(samples, series):
        raise ValueError(f"no {series} yet")
    return last(samples, series)


def p95(numbers: Sequence[float]) -> float:
    """Return the 95th percentile; ValueError of fewer than 20 numbers."""
    if len(numbers) < 20:
        raise ValueError("too few answers")
    return statistics.quantiles(numbers, n=20)[-1]


class RequestsStayFast(Experiment):
    """At first the other endpoint alone, then together with the submissions, all on one schedule."""

    slug = "requests-stay-fast"
    claim = (
        "While 50 jobs of 3 s are asked for and run, 95 % of the requests are answered within 150 ms "
        "and those for something else within 50 ms, or twice the time of an idle service if that is more."
    )
    holds = ("durable",)
    refuted = ("inline",)
    units = {"submission": "ms", "idle": "ms", "other": "ms"}
    chart = Chart(
        "submission",
        "milliseconds until a request is answered",
        "points",
        logarithmic=True,
    )
    parameters = (
        Parameter("jobs", 50, 30, 200, "jobs"),
        Parameter("job_seconds", 3, 1, 20, "s"),
        Parameter("rate", 25, 10, 100, "jobs/s"),
    )

    BOUND_MS = 150.0
    OTHER_MS = 50.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        jobs, rate = int(params["jobs"]), params["rate"]
        # Each over a connection of its own: one that is kept would ask one server process all the time.
        url = f"{stack.url}/api/jobs/00000000-0000-0000-0000-000000000000/"
        other = Request(url, {"Connection": "close"})
        slow = asking(stack, variant, {"seconds": params["job_seconds"]})
        with Database(stack) as database:
            # Server processes open their connections to the database first, and the workers rest after that.
            warm = submitted([asking(stack, "durable")] * 64)
            if not database.wait(lambda: database.effects(warm)[0] == len(warm), 60):
                raise ExperimentError("the workers are busy without a reason")
            start = time.monotonic()
            asked = [other] * jobs + [slow, other] * jobs
            for answer in volley(
                asked, processes=2, connections=2 * jobs, rate=2 * rate, timeout_seconds=60
            ):
                if asked[answer.request] is slow:
                    yield self._sample(start, "submission", answer, 202)
                else:
                    series = "idle" if answer.request < jobs else "other"
                    yield self._sample(start, series, answer, 404)

    @staticmethod
    def _sample(start: float, series: str, answer: Answer, status: int) -> Sample:
        if answer.status != status:
            raise unexpected(answer)
        return Sample(answer.received - start, series, answer.seconds * 1000)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        taken = p95(values(samples, "submission"))
        other, idle = p95(values(samples, "other")), p95(values(samples, "idle"))
        # Where even an idle service is slow, the machine is busy with something else.
        bound, most = max(2 * idle, self.BOUND_MS), max(2 * idle, self.OTHER_MS)
        holds = taken < bound and other <= most
        sign = "<" if taken < bound else ">="
        figure = (
            f"p95 {taken:.0f} ms {sign} {bound:.0f} ms; "
            f"the other endpoint {other:.0f} ms, idle {idle:.0f} ms"
        )
        return Verdict(holds, figure, taken, bound)


def working(database: Database, stack: Stack, variant: str) -> None:
    """Return once a job of the variant is done: what an earlier experiment did to the broker is over.

    Celery's own worker pauses for up to 30 s after the death of its broker, and over the Redis protocol it
    may end with it; that is not what the next claim is about, and it is started anew. It is killed, because
    it hears no signal while it pauses; what it had fetched is nothing that anybody waits for.

    Raises:
        ExperimentError: no job is done.
    """
    done = behind(database, stack, variant)
    if variant == "fire_and_forget" and not database.wait(done, 2):
        stack.kill(WORKER[variant])
        stack.start(WORKER[variant])
        done = behind(database, stack, variant)
    if not database.wait(done, 30):
        raise ExperimentError("the workers do nothing, or are busy without a reason")


def behind(database: Database, stack: Stack, variant: str) -> Callable[[], bool]:
    """Ask for one more job; return what tells whether it is done.

    A queue is first in, first out: with that job done, one that was asked for before and was not begun
    is gone, unless the solution finds it missing, and sends it again.

    Raises:
        ExperimentError: it is not accepted, although the broker is there.
    """
    jobs: list[str] = []

    def asked() -> bool:
        answer = ask(asking(stack, variant))
        jobs.extend([accepted(answer)] if answer.status == 202 else [])
        return bool(jobs)

    if not database.wait(asked, 30, 0.5):
        raise ExperimentError("no job is accepted")
    return lambda: database.effects(jobs)[0] == 1


def emptied(stack: Stack) -> None:
    """Leave nothing in the queue of `fire_and_forget`, for which the next claim would wait.

    Over the Redis protocol that is a list; with RabbitMQ nothing is left in it.
    """
    if "redis" in stack.services:
        with Redis.from_url(stack.services["redis"]) as server:
            server.delete("celery")


class NoJobIsLost(Experiment):
    slug = "no-job-is-lost"
    claim = (
        "Of 200 jobs all are done, each with one effect, although the workers are killed with all their "
        "processes after the 40th."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {"effects": "jobs with an effect", "all": "effects", "waiting": "jobs in the queue"}
    chart = Chart("effects", "jobs done", bound=200)
    live = ("waiting",)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("kill_after", 40, 5, 500, "jobs"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count, before = int(params["jobs"]), int(params["kill_after"])
        quick = asking(stack, variant)
        with Database(stack) as database:
            working(database, stack, variant)
            start = time.monotonic()
            jobs = submitted([quick] * before)
            # Two that take their time, so that the workers are at work when they are killed.
            long = submitted([asking(stack, variant, {"seconds": 3})] * 2)
            jobs += long + submitted([quick] * (count - before - 2))
            while database.runs(long) < len(long):
                if time.monotonic() > start + 30:
                    raise ExperimentError("the jobs that are to be interrupted did not begin")
                yield from counted(database, jobs, start)
                rest(0.05)
            stack.kill(WORKER[variant])
            yield from counted(database, jobs, start)
            stack.start(WORKER[variant])
            yield from followed(database, stack, variant, jobs, start)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        count, effects, every = params["jobs"], latest(samples, "effects"), latest(samples, "all")
        sign = "=" if effects == count else "<"
        figure = (
            f"{effects:.0f} jobs done {sign} {count:.0f}, {every - effects:.0f} effects too many"
        )
        return Verdict(effects == count == every, figure, effects, count)


def counted(database: Database, jobs: Sequence[str], start: float) -> Iterator[Sample]:
    """Yield how many jobs have an effect, and how many wait."""
    moment = time.monotonic() - start
    yield Sample(moment, "effects", database.effects(jobs)[0])
    yield Sample(moment, "waiting", database.waiting(jobs))


def followed(
    database: Database, stack: Stack, variant: str, jobs: Sequence[str], start: float
) -> Iterator[Sample]:
    """Yield how many jobs have an effect: until all have, or no other has had one for a minute.

    Of the naive variant, what was asked for before a job that is done and is not done itself is lost.
    """
    final = behind(database, stack, variant)
    never = variant == "fire_and_forget"
    done, changed, quiet = -1, time.monotonic(), 0.0
    while done < len(jobs) and quiet < PATIENCE and not (never and quiet > GONE and final()):
        rest(0.1)
        now, every = database.effects(jobs)
        if now != done:
            done, changed = now, time.monotonic()
            yield Sample(changed - start, "effects", done)
            yield Sample(changed - start, "all", every)
            yield Sample(changed - start, "waiting", database.waiting(jobs))
        quiet = time.monotonic() - changed
    rest(0.5)  # what is done twice is done about now
    yield Sample(time.monotonic() - start, "all", database.effects(jobs)[1])


class PoisonIsQuarantined(Experiment):
    slug = "poison-is-quarantined"
    claim = (
        "A job that kills its process is run four times and no more, leaves one dead letter with the reason, "
        "keeps none of 50 good jobs from being done, and is done once it is mended and replayed."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {
        "good": "good jobs done",
        "runs": "runs of the poison",
        "letters": "dead letters with a reason",
        "replayed": "1 if done after the replay",
    }
    chart = Chart("letters", "dead letters with a reason")
    live = ("good", "runs")
    parameters = (Parameter("good", 50, 10, 500, "jobs"),)

    LIMIT = 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["good"])
        with Database(stack) as database:
            working(database, stack, variant)
            start = time.monotonic()
            good = submitted([asking(stack, variant)] * (count // 2))
            poison = accepted(ask(asking(stack, variant, {"fault": "crash"})))
            good += submitted([asking(stack, variant)] * (count - count // 2))

            def letters() -> int:
                return database.number(
                    "SELECT count(*) FROM jobs_deadletter WHERE job_id = %s AND reason <> ''",
                    poison,
                )

            # A naive one has had all it gets when the good jobs around the poison are done, and it was begun.
            seen, changed = (-1, -1), time.monotonic()
            yield Sample(changed - start, "letters", 0)
            while not letters():
                quiet = time.monotonic() - changed
                now = database.effects(good)[0], database.runs([poison])
                if now != seen:
                    seen, changed = now, time.monotonic()
                    yield Sample(changed - start, "good", now[0])
                    yield Sample(changed - start, "runs", now[1])
                gone = variant not in self.holds and seen[0] == count and seen[1] > 0
                if quiet > (GONE if gone else PATIENCE):
                    break
                rest(0.1)
            yield Sample(time.monotonic() - start, "letters", letters())
            database.wait(lambda: database.effects(good)[0] == count, PATIENCE)
            yield Sample(time.monotonic() - start, "good", database.effects(good)[0])
            rest(1)  # for another run, or letter, than there should be
            yield Sample(time.monotonic() - start, "runs", database.runs([poison]))
            yield Sample(time.monotonic() - start, "letters", letters())
            done = False
            if letters():
                stack.manage("jobs", "replay", poison, "--arguments", '{"drill": {}}')
                done = database.wait(lambda: database.effects([poison]) == (1, 1), 10)
            yield Sample(time.monotonic() - start, "replayed", float(done))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        good, runs = latest(samples, "good"), latest(samples, "runs")
        letters, replayed = latest(samples, "letters"), latest(samples, "replayed")
        holds = good == params["good"] and runs == self.LIMIT + 1 and letters == 1 and replayed == 1
        sign = "=" if letters == 1 else "<" if letters < 1 else ">"
        figure = (
            f"{letters:.0f} dead letters {sign} 1 after {runs:.0f} runs, {good:.0f} good jobs done, "
            f"{'done' if replayed else 'not done'} after a replay"
        )
        return Verdict(holds, figure, letters, 1)


class RetriesDoNotStampede(Experiment):
    """Each retry counts from its own failure: a slow worker, which spreads failures, spreads no retries."""

    slug = "retries-do-not-stampede"
    claim = (
        "100 jobs that fail together try again after 0 to 12 s and at most 1 s more, "
        "and no second after the failure sees more than 30 of them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {"retry": "s after the failure"}
    chart = Chart("retry", "seconds from a failure to the next run", "points", bound=12)
    parameters = (Parameter("jobs", 100, 50, 500, "jobs"), Parameter("base", 12, 1, 60, "s"))

    MOST = 30

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        runs = (
            "SELECT extract(epoch FROM second.started_at - first.started_at),"
            " extract(epoch FROM second.started_at)"
            " FROM jobs_run AS first JOIN jobs_run AS second"
            " ON second.job_id = first.job_id AND first.attempt = 1 AND second.attempt = 2"
            " WHERE first.job_id = ANY (%s) ORDER BY 2"
        )
        with Database(stack) as database:
            working(database, stack, variant)
            start, clock = time.monotonic(), time.time()
            jobs = submitted([asking(stack, variant, {"fault": "transient"})] * count)
            seen = 0
            deadline = time.monotonic() + params["base"] + 10
            while seen < count and time.monotonic() < deadline:
                rest(0.2)
                found = database.rows(runs, jobs)
                for delay, moment in found[seen:]:
                    yield Sample(max(0, float(moment) - clock), "retry", float(delay))
                seen = len(found)
            if seen < count:
                raise ExperimentError(
                    f"{seen} of {count} jobs tried again, in time {deadline - start:.0f} s"
                )

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        delays = values(samples, "retry")
        if not delays:
            raise ValueError("nothing was tried again yet")
        most = max(sum(delay <= other < delay + 1 for other in delays) for delay in delays)
        longest = max(delays)
        holds = most <= self.MOST and longest <= params["base"] + 1
        sign = "<=" if most <= self.MOST else ">"
        figure = (
            f"{most} within a second {sign} {self.MOST}, after {min(delays):.1f} to {longest:.1f} s"
        )
        return Verdict(holds, figure, most, self.MOST)


class DelayedJobsDoNotBlock(Experiment):
    """One job behind 40 that are due later, and then an urgent one behind 500 that are not.

    A variant that is refuted by the first is spared the second.
    """

    slug = "delayed-jobs-do-not-block"
    claim = (
        "A job that is due now begins within 1 s behind 40 that were asked for before it and are due later, "
        "and so does an urgent one behind 500 others."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {"began": "s until the immediate job began, and then until the urgent one did"}
    chart = Chart("began", "seconds until a job began", "points", bound=1)
    parameters = (
        Parameter("delayed", 40, 10, 200, "jobs"),
        Parameter("delay", 6, 2, 60, "s"),
        Parameter("bulk", 500, 100, 2000, "jobs"),
    )

    BOUND_SECONDS = 1.0
    ENOUGH = 2.0  # s; whoever waits behind the bulk for longer is refuted
    BEHIND = ("behind delayed jobs", "behind bulk")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        later = asking(stack, variant, delay_seconds=params["delay"])
        bulk = asking(stack, variant, {"seconds": 0.05})
        with Database(stack) as database:
            working(database, stack, variant)
            self._wait_idle(database, stack, variant)
            start = time.monotonic()
            submitted([later] * int(params["delayed"]))
            now = accepted(ask(asking(stack, variant)))
            waited = self._began(database, now, params["delay"] + self.ENOUGH)
            yield Sample(time.monotonic() - start, "began", waited)
            if waited >= self.BOUND_SECONDS:
                return
            submitted([bulk] * int(params["bulk"]))
            urgent = accepted(ask(asking(stack, variant, urgent=True)))
            waited = self._began(database, urgent, self.ENOUGH)
            yield Sample(time.monotonic() - start, "began", waited)
            if variant == "fire_and_forget":
                emptied(stack)

    @staticmethod
    def _wait_idle(database: Database, stack: Stack, variant: str) -> None:
        """Return once two jobs have begun together, and are done: nothing keeps a worker busy."""
        for _ in range(20):
            jobs = submitted([asking(stack, variant, {"seconds": 0.4})] * 2)
            if not database.wait(lambda jobs=jobs: database.runs(jobs) == 2, 20, 0.02):  # type: ignore[misc]
                break
            query = "SELECT extract(epoch FROM max(started_at) - min(started_at)) FROM jobs_run"
            ((apart,),) = database.rows(f"{query} WHERE job_id = ANY (%s)", jobs)
            if float(apart) < 0.3 and database.wait(
                lambda jobs=jobs: database.effects(jobs)[0] == 2,  # type: ignore[misc]
                20,
                0.02,
            ):
                return
        raise ExperimentError("the workers are busy without a reason")

    @staticmethod
    def _began(database: Database, job: str, most_seconds: float) -> float:
        if not database.wait(lambda: database.runs([job]) > 0, most_seconds, 0.02):
            return most_seconds
        ((waited,),) = database.rows(
            "SELECT extract(epoch FROM min(started_at) - (SELECT created_at FROM jobs_job WHERE id = %s))"
            " FROM jobs_run WHERE job_id = %s",
            job,
            job,
        )
        return max(0, float(waited))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        began = values(samples, "began")
        worst = max(began, default=0)
        if len(began) < len(self.BEHIND) and worst < self.BOUND_SECONDS:
            raise ValueError("not both of them have begun yet")
        sign = "<" if worst < self.BOUND_SECONDS else ">="
        each = (f"{waited:.2f} s {what}" for waited, what in zip(began, self.BEHIND, strict=False))
        figure = f"began after {worst:.2f} s {sign} {self.BOUND_SECONDS:.0f} s ({', '.join(each)})"
        return Verdict(worst < self.BOUND_SECONDS, figure, worst, self.BOUND_SECONDS)


class SameKeySameJob(Experiment):
    slug = "same-key-same-job"
    claim = "One Idempotency-Key that is sent 20 times at once names one job, and gets 20 equal answers."
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {"jobs": "jobs", "answers": "different answers"}
    chart = Chart("jobs", "jobs of one key")
    parameters = (Parameter("requests", 20, 2, 200, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        request = asking(stack, variant, key=f"key-{uuid.uuid4()}")
        jobs, bodies = set(), set()
        with Database(stack):
            start = time.monotonic()
            answers = volley([request] * int(params["requests"]), processes=2)
            for answer in sorted(answers, key=lambda each: each.received):
                jobs.add(accepted(answer))
                bodies.add(answer.body)
                yield Sample(answer.received - start, "jobs", len(jobs))
                yield Sample(answer.received - start, "answers", len(bodies))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        jobs, answers = max(values(samples, "jobs")), max(values(samples, "answers"))
        sign = "<=" if jobs <= 1 else ">"
        figure = f"{jobs:.0f} jobs {sign} 1, {answers:.0f} different answers"
        return Verdict(jobs == answers == 1, figure, jobs, 1)


class SilenceIsNoticed(Experiment):
    """Workers frozen, a job given up, workers stopped: each time the health has to say so, and to recover.

    A variant that does not notice one of them is refuted, and spared the next.
    """

    slug = "silence-is-noticed"
    claim = (
        "The health endpoint is red within 10 s when the workers are stopped, when they are frozen, "
        "and when a job was given up."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {"noticed": "s until the health was red, or nobody waited any longer"}
    chart = Chart("noticed", "seconds until a fault is noticed", "points", bound=10)
    parameters = (Parameter("within", 10, 5, 60, "s"),)

    FAULTS = 3

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        url = f"{stack.url}/api/{variant}/health/"
        with Database(stack) as database:
            working(database, stack, variant)
            database.resolve()
            start = time.monotonic()
            for fault in (
                stack.paused(WORKER[variant]),
                self._given_up(database, stack, variant),
                stack.stopped(WORKER[variant]),
            ):
                self._wait_green(database, url)
                with fault:
                    sample = self._noticed(database, url, start, params)
                yield sample
                if sample.value >= params["within"]:
                    return

    @staticmethod
    @contextmanager
    def _given_up(database: Database, stack: Stack, variant: str) -> Iterator[None]:
        accepted(ask(asking(stack, variant, {"fault": "permanent"})))
        yield
        database.resolve()

    @staticmethod
    def _wait_green(database: Database, url: str) -> None:
        if not database.wait(lambda: ask(url).status == 200, 30, 0.1):
            raise ExperimentError("the health is not green without a fault")

    @staticmethod
    def _noticed(database: Database, url: str, start: float, params: Params) -> Sample:
        began = time.monotonic()
        red = database.wait(lambda: ask(url).status == 503, params["within"], 0.1)
        took = time.monotonic() - began
        return Sample(began + took - start, "noticed", took if red else params["within"])

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        noticed = [took for took in values(samples, "noticed") if took < params["within"]]
        unnoticed = [took for took in values(samples, "noticed") if took >= params["within"]]
        if len(noticed) < self.FAULTS and not unnoticed:
            raise ValueError("not all faults have been there")
        sign = "=" if not unnoticed else "<"
        worst = max(noticed, default=0)
        figure = (
            f"{len(noticed)} noticed {sign} {self.FAULTS}, the slowest after {worst:.1f} s, "
            f"{len(unnoticed)} without a sign in {params['within']:.0f} s"
        )
        return Verdict(not unnoticed, figure, len(noticed), self.FAULTS)


class DeploysLoseNothing(Experiment):
    """Workers are asked to stop while they have a short and a long job; new ones are started."""

    slug = "deploys-lose-nothing"
    claim = (
        "Workers that are asked to stop finish a job of 1 s, which is run once, and leave one of 5 s "
        "to the workers that come after them."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {"effects": "jobs with an effect", "all": "effects", "runs": "runs of the short job"}
    chart = Chart("effects", "jobs done", bound=2)
    parameters = (
        Parameter("short", 1, 0.5, 10, "s"),
        Parameter("long", 5, 4.5, 120, "s"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            working(database, stack, variant)
            start = time.monotonic()
            jobs = submitted(
                [asking(stack, variant, {"seconds": params[name]}) for name in ("long", "short")]
            )
            if not database.wait(lambda: database.runs(jobs) == 2, 40, 0.01):
                raise ExperimentError("the jobs did not begin within 40 s")
            yield Sample(time.monotonic() - start, "effects", 0)
            stack.stop(WORKER[variant])
            yield Sample(time.monotonic() - start, "effects", database.effects(jobs)[0])
            stack.start(WORKER[variant])
            yield from followed(database, stack, variant, jobs, start)
            yield Sample(time.monotonic() - start, "runs", database.runs(jobs[1:]))

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        effects, every, runs = (latest(samples, name) for name in ("effects", "all", "runs"))
        sign = "=" if effects == 2 else "<"
        figure = (
            f"{effects:.0f} jobs done {sign} 2, {every - effects:.0f} effects too many, "
            f"the short one in {runs:.0f} runs"
        )
        return Verdict(effects == every == 2 and runs == 1, figure, effects, 2)


# Last: Celery's own worker does not get over the death of its broker for a while, and the next claim
# would have to start it anew.
class RollbackSendsNothing(Experiment):
    """The broker is frozen, and then killed; a variant that is refuted by then is spared the second."""

    slug = "rollback-sends-nothing-commit-always-sends"
    claim = (
        "A request that is rolled back starts no job; one that commits while the broker is frozen or down "
        "is answered with 202 within 300 ms, and its job is done within 5 s of the broker's return."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    units = {
        "ghosts": "jobs of rolled-back requests begun",
        "answered": "ms",
        "accepted": "1 for a 202",
        "delivered": "s after the return",
    }
    chart = Chart("answered", "milliseconds until the request is answered", "points", bound=300)
    parameters = (Parameter("away", 1.5, 1, 30, "s"),)

    ANSWER_MS = 300.0
    DELIVERED_SECONDS = 5.0
    NEVER = 15.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            working(database, stack, variant)
            start = time.monotonic()
            ghosts = [
                accepted(ask(asking(stack, variant, {"rollback": True})), 409) for _ in range(5)
            ]
            # One that is asked for after them is done after they have begun.
            after = accepted(ask(asking(stack, variant)))
            if not database.wait(partial(database.done, after), 30):
                raise ExperimentError("the workers are busy without a reason")
            begun = database.number(
                "SELECT count(DISTINCT job_id) FROM jobs_run WHERE job_id = ANY (%s)", ghosts
            )
            yield Sample(time.monotonic() - start, "ghosts", begun)
            for away in (stack.paused, stack.killed):
                with away(broker(stack)):
                    answer = ask(asking(stack, variant), timeout_seconds=2)
                    if answer.status not in (202, 500, 0):
                        raise unexpected(answer)
                    yield Sample(time.monotonic() - start, "answered", answer.seconds * 1000)
                    yield Sample(time.monotonic() - start, "accepted", float(answer.status == 202))
                    rest(params["away"])
                returned = time.monotonic()
                if answer.status == 202:
                    job = accepted(answer)
                    done = database.wait(partial(database.done, job), self.NEVER)
                    waited = time.monotonic() - returned if done else self.NEVER
                    yield Sample(time.monotonic() - start, "delivered", waited)
                if begun or answer.status != 202:
                    return

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        ghosts, answered = latest(samples, "ghosts"), values(samples, "answered")
        took, delivered = values(samples, "accepted"), values(samples, "delivered")
        if not ghosts and len(took) < 2 and all(took):
            raise ValueError("the broker was not away twice yet")
        slowest, longest = max(answered, default=0), max(delivered, default=0)
        holds = (
            ghosts == 0
            and sum(took) == 2
            and slowest < self.ANSWER_MS
            and len(delivered) == 2
            and longest < self.DELIVERED_SECONDS
        )
        figure = (
            f"{ghosts:.0f} of 5 rolled-back jobs begun; {sum(took):.0f} of {len(took)} accepted "
            f"without a broker, slowest answer {slowest:.0f} ms, latest job {longest:.1f} s after its return"
        )
        return Verdict(holds, figure, ghosts, 0)


class TheBrokerMayDie(Experiment):
    """The broker is killed after a third of the submissions, which go on, and started a second later."""

    slug = "the-broker-may-die"
    claim = (
        "Of 200 jobs that are asked for while the broker is killed and started again, all are done "
        "within 60 s of its return, once each, and nobody restarts a worker."
    )
    holds = ("durable",)
    refuted = ("fire_and_forget",)
    needs = ("rabbitmq",)  # on Redis, Celery's worker does not always survive this
    units = {
        "effects": "jobs with an effect",
        "all": "effects",
        "waiting": "jobs in the queue",
        "back": "s",
    }
    chart = Chart("effects", "jobs done", bound=200)
    live = ("waiting",)
    parameters = (
        Parameter("jobs", 200, 50, 1000, "jobs"),
        Parameter("rate", 50, 10, 200, "jobs/s"),
        Parameter("away", 1, 1, 30, "s"),
    )

    WITHIN_SECONDS = 60.0

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        count = int(params["jobs"])
        requests = [asking(stack, variant, {"seconds": 0.02})] * count
        jobs, back = [], 0.0
        with Database(stack) as database:
            working(database, stack, variant)
            start = time.monotonic()
            answers = volley(
                requests, processes=2, connections=40, rate=params["rate"], timeout_seconds=5
            )
            for number, answer in enumerate(answers, 1):
                if answer.status not in (202, 500, 0):
                    raise unexpected(answer)
                if answer.status == 202:
                    jobs.append(accepted(answer))
                if number == count // 3:
                    with stack.killed(broker(stack)):
                        yield from counted(database, jobs, start)
                        rest(params["away"])
                    back = time.monotonic()
                if number % 10 == 0:
                    yield from counted(database, jobs, start)
            yield Sample(back - start, "back", back - start)
            yield from followed(database, stack, variant, jobs, start)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        count, every = params["jobs"], latest(samples, "all")
        effects, back = latest(samples, "effects"), latest(samples, "back")
        ended = max(each.seconds for each in samples if each.series == "effects")
        took = max(0, ended - back)
        sign = "=" if effects == count else "<"
        figure = (
            f"{effects:.0f} jobs done {sign} {count:.0f}, {every - effects:.0f} effects too many, "
            f"the last {took:.1f} s after the broker's return"
        )
        return Verdict(
            effects == count == every and took < self.WITHIN_SECONDS, figure, effects, count
        )
