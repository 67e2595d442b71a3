"""Attackers are banned for what people do not do, and the verdict says for what."""

import pytest
from replay.rules import per_minute, run, scores
from replay.story import story
from replay.traffic import BOUNDS, traffic
from shield.addresses import parse_network
from shield.matcher import Scope
from shield.scores import Detector, Event

ONE = parse_network("192.0.2.1")


def test_ten_failures_and_one_more_ban():
    detector = Detector()
    verdicts = [detector.observe(Event(second, ONE, "login failed")) for second in range(11)]

    assert verdicts[:10] == [None] * 10
    assert verdicts[10].network == ONE
    assert verdicts[10].parts == {"logins": pytest.approx(109.4, abs=1), "scan": 0}
    assert verdicts[10].scope == Scope.LOGIN


def test_the_same_missing_path_counts_once():
    detector = Detector()

    assert not any(detector.observe(Event(n, ONE, "missing", 7)) for n in range(500))


def test_scan_costs_more_than_the_login():
    detector = Detector()
    verdicts = [detector.observe(Event(n, ONE, "missing", n)) for n in range(30)]

    assert [each.scope for each in verdicts if each] == [Scope.FULL]


def test_failures_fade():
    detector = Detector()

    assert not any(detector.observe(Event(n * 120, ONE, "login failed")) for n in range(100))


def test_a_dozen_neighbours_who_mistype_are_people():
    detector = Detector()
    for member in range(12):
        address = parse_network(f"192.0.2.{member}")
        for second in range(10):
            assert not detector.observe(Event(second, address, "ok"))
        for second in range(5):
            assert not detector.observe(Event(10 + second, address, "login failed"))


def test_what_was_not_seen_for_an_hour_is_forgotten():
    detector = Detector()
    detector.observe(Event(0, ONE, "ok"))
    detector.observe(Event(4_000, parse_network("192.0.2.2"), "ok"))

    assert len(detector) == 1


def test_traffic_of_a_seed_is_always_the_same():
    assert list(traffic(3)) == list(traffic(3))
    assert 60_000 < sum(1 for _ in traffic(3)) < 80_000


def test_replay_stops_every_attacker_in_time_and_no_person():
    outcome = run(0, scores())

    assert outcome.people == set()
    assert outcome.stopped.keys() == set(BOUNDS)
    assert all(outcome.through[name] <= bound for name, bound in BOUNDS.items())


def test_rule_of_sixty_a_minute_refuses_every_exit_and_misses_half():
    outcome = run(0, per_minute())

    assert len(outcome.people) == 20
    assert outcome.stopped.keys() == {"brute force", "scan", "flood"}


def test_story_names_who_was_banned_for_what_and_how_near_people_came():
    told = list(story(0))

    assert [line.partition("  ")[0] for line in told[1:7]] == list(BOUNDS)
    assert "failed logins of neighbours" in told[6]
    assert told[7].endswith("0 of 500 people")
    highest = told[8].partition(": ")[2].split(", ")
    assert 0 < int(highest[-1]) <= int(highest[0]) < 100
