"""One abuser among partners that send as much: the baseline names it, a fixed threshold cannot."""

import random
import uuid

import pytest
from abuse import watch as watch_module
from abuse.detector import Caller, Ewma, FixedThreshold, Suspect
from abuse.log import EVENTS_KEPT, KEY, AbuseLog
from abuse.watch import Watch
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

WINDOW_SECONDS = 2
ABUSER = Caller("address", "abuser", "198.51.100.0/24")
PARTNERS = [Caller("key", f"partner-{number}") for number in range(10)]
ADDRESSES = [Caller("address", f"address-{number}") for number in range(190)]


def traffic(chance, window, abuse_per_second):
    """Return who sends in one window; independent clients, so their counts scatter like Poisson."""
    for callers, per_second in ((ADDRESSES, 0.5), (PARTNERS, 8), ([ABUSER], abuse_per_second)):
        if callers == [ABUSER] and window < 3:
            continue  # it starts late
        for caller in callers:
            for _ in range(20 * WINDOW_SECONDS):
                if chance.random() < per_second / 20:
                    yield caller


def run(watches, abuse_per_second, *, windows=15, seed=1):
    """Deal the traffic out to the processes; return who was named after how many own requests."""
    chance = random.Random(seed)
    sent, named = dict.fromkeys([ABUSER, *PARTNERS, *ADDRESSES], 0), {}
    for window in range(windows):
        for caller in traffic(chance, window, abuse_per_second):
            sent[caller] += 1
            chance.choice(watches).observe(caller)
        counted = [watch.share(window) for watch in watches]
        for watch, own in zip(watches, counted, strict=True):
            for suspect in watch.judge(window, own):
                named.setdefault(suspect.caller, sent[suspect.caller])
    return named


@pytest.fixture
def detector_name():
    return uuid.uuid4().hex


@pytest.fixture
def processes(redis, detector_name):
    def start(kind, count=4, client=redis):
        detectors = [kind() for _ in range(count)]
        for detector in detectors:
            detector.name = detector_name
        clock = iter(range(10**6)).__next__
        return [
            Watch(each, client, window_seconds=WINDOW_SECONDS, clock=clock) for each in detectors
        ]

    return start


@pytest.fixture
def events(redis, detector_name):
    def latest():
        return [event for event in AbuseLog(redis).latest() if event["detector"] == detector_name]

    return latest


def test_fixed_threshold_names_the_partners_too(processes):
    named = run(processes(FixedThreshold), 8)

    assert set(named) >= {ABUSER, *PARTNERS}


def test_fixed_threshold_above_the_partners_misses_the_abuser(processes):
    named = run(processes(lambda: FixedThreshold(limit=40)), 8)

    assert named == {}


@pytest.mark.parametrize("per_second", [6, 8, 10, 30])
@pytest.mark.parametrize("seed", range(3))
def test_baseline_names_exactly_the_abuser_within_100_requests(processes, per_second, seed):
    named = run(processes(Ewma), per_second, seed=seed)

    assert set(named) == {ABUSER}
    # A rate of 30/s fills a hundred requests in two windows; the window of its start is one of them.
    assert named[ABUSER] <= max(100, 2 * WINDOW_SECONDS * per_second)


def test_abuse_from_the_first_window_on_is_not_taken_for_normal():
    detector = Ewma()
    counts = dict.fromkeys(ADDRESSES, 1) | {ABUSER: 16}

    for _ in range(50):
        assert [suspect.caller for suspect in detector.judge(counts)] == [ABUSER]


def test_class_that_gets_busy_as_a_whole_is_not_named():
    detector = Ewma()
    for _ in range(20):
        detector.judge(dict.fromkeys(PARTNERS, 1))  # as in a window that was cut short

    assert detector.judge(dict.fromkeys(PARTNERS, 16)) == []


def test_few_clients_are_compared_with_the_past_of_their_class():
    detector, (partner, *_) = Ewma(), PARTNERS
    for _ in range(20):
        assert detector.judge(dict.fromkeys(PARTNERS, 16)) == []

    assert [suspect.caller for suspect in detector.judge({partner: 60})] == [partner]
    assert detector.judge({partner: 16}) == []


def test_one_busy_client_teaches_nothing_about_its_class():
    detector = Ewma()
    for _ in range(20):
        assert detector.judge({ABUSER: 500}) == []

    suspects = detector.judge(dict.fromkeys(ADDRESSES, 1) | {ABUSER: 16})

    assert [suspect.caller for suspect in suspects] == [ABUSER]


def test_calm_class_does_not_make_two_requests_abnormal():
    detector = Ewma()
    for _ in range(50):
        detector.judge(dict.fromkeys(ADDRESSES, 1))

    assert detector.judge(dict.fromkeys(ADDRESSES, 1) | {ABUSER: 9}) == []


def test_one_process_alone_tells_of_a_client_that_all_of_them_find(processes, events):
    run(processes(Ewma), 8)

    assert [event["client"] for event in events()] == ["abuser"]


def test_event_says_what_it_was_named_for(processes, events):
    (watch,) = processes(FixedThreshold, count=1)
    for _ in range(16):
        watch.observe(ABUSER)

    watch.judge(7, watch.share(7))

    (event,) = events()
    assert event.pop("time").startswith("1970-01-01T00:00:00")
    assert event.pop("detector")
    assert event == {
        "event": "abnormal-usage-detected",
        "class": "address",
        "client": "abuser",
        "network": "198.51.100.0/24",
        "requests_per_second": 8.0,
        "baseline_per_second": 5.0,
        "threshold_per_second": 5.0,
    }


def test_event_is_logged(processes, caplog):
    (watch,) = processes(FixedThreshold, count=1)
    for _ in range(16):
        watch.observe(ABUSER)

    watch.judge(7, watch.share(7))

    assert [record.name for record in caplog.records] == ["abuse"]
    assert caplog.records[0].message.startswith('{"event": "abnormal-usage-detected"')


def test_without_redis_a_process_judges_what_it_saw(processes):
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    (watch,) = processes(FixedThreshold, count=1, client=gone)
    for _ in range(16):
        watch.observe(ABUSER)

    assert [suspect.caller for suspect in watch.judge(7, watch.share(7))] == [ABUSER]


def test_counting_is_bounded_and_never_blames_too_much(processes, monkeypatch):
    monkeypatch.setattr(watch_module, "CLIENTS_COUNTED", 100)
    (watch,) = processes(Ewma, count=1)
    for number in range(10_000):
        watch.observe(Caller("address", f"rotating-{number}"))
        if number % 4 == 0:
            watch.observe(ABUSER)

    counts = watch.share(0)

    assert len(counts) <= 100
    # Misra and Gries: too small by at most (requests / clients counted).
    assert 2_500 - 12_500 / 100 <= counts[ABUSER] <= 2_500


def test_events_in_redis_are_bounded(redis):
    log = AbuseLog(redis)
    for number in range(EVENTS_KEPT + 20):
        suspect = Suspect(Caller("key", f"{uuid.uuid4().hex}-{number}"), 20, 1, 10)
        log.report(suspect, "bounded", 2, 0)

    assert redis.llen(KEY) == EVENTS_KEPT


def test_windows_in_redis_expire(redis, processes, detector_name):
    (watch,) = processes(Ewma, count=1)
    watch.observe(ABUSER)
    watch.share(3)

    assert 0 < redis.ttl(f"limiter:seen:{detector_name}:3") <= 11
