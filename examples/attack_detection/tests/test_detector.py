"""Attackers are found for what people do not do, and the verdict says for what."""

import pytest
from detector import groups, points, rates
from detector.detector import Detector
from detector.remembered import Remembered
from detector.sightings import Sighting
from replay.outcome import run
from replay.traffic import BOUNDS

ONE = "192.0.2.1/32"


def found(sightings):
    detector = Detector()
    return [verdict for each in sightings for verdict in detector.observe(each)]


def failed(second, client=ONE, account="a"):
    return Sighting(second, client, "login failed", "/login/", account)


def signed_in(second, client=ONE, account="a"):
    return Sighting(second, client, "ok", "/", account, "person")


def test_eleven_failures_refuse_logins():
    assert found(failed(second) for second in range(10)) == []
    (verdict,) = found(failed(second) for second in range(11))

    assert (verdict.network, verdict.scope) == (ONE, "logins")
    assert verdict.parts == {"logins": pytest.approx(109.4, abs=1), "scan": 0, "people": 0}


def test_who_is_refused_begins_anew():
    assert len(found(failed(second) for second in range(21))) == 1
    assert len(found(failed(second) for second in range(22))) == 2


@pytest.mark.report(
    "jazzband/django-axes#352",
    "one success at an address forgives all failures there, also those of an attacker beside",
    "an account that signs in is forgiven its own failures alone",
)
def test_who_signs_in_after_all_is_forgiven_this_account_alone():
    detector = Detector()
    for second in range(9):
        detector.observe(failed(second))
    detector.observe(signed_in(9))

    assert detector.points.clients.find(ONE).logins(9) == 0

    for second in range(9):
        detector.observe(failed(10 + second, account="victim"))
    detector.observe(signed_in(19))
    assert detector.points.clients.find(ONE).logins(19) > 85


@pytest.mark.report(
    "sethvargo/go-limiter#41",
    "the clock is set back, and until it is where it was everybody is refused",
    "points go on to fade, and what was seen later is forgotten",
)
def test_clock_that_was_set_back():
    assert found([failed(3_000), failed(0)]) == []
    assert found([failed(3_000), *(failed(300 * n) for n in range(12))]) == []

    neighbours = [failed(100 * n, f"192.0.2.{n}/32", f"account {n}") for n in range(80)]
    assert found([failed(9_000, "192.0.2.99/32"), *neighbours]) == []


def test_failures_fade():
    assert found(failed(number * 120) for number in range(100)) == []


@pytest.mark.report(
    "fail2ban/fail2ban#779",
    "a program repeats an old password, and everybody behind its address is banned",
    "an exit from which forty people have signed in bears it",
)
def test_a_program_that_repeats_an_old_password_bans_no_exit():
    known = [signed_in(n, account=f"person {n}") for n in range(40)]
    program = [failed(60 * minute, account="old") for minute in range(1, 120)]

    assert found([*known, *program]) == []


@pytest.mark.report(
    "crowdsecurity/hub#694",
    "an app asks for a hundred previews that are not there, and its owner is banned",
    "what is missing for who has signed in is not counted",
)
def test_who_has_signed_in_may_look_for_what_is_not_there():
    asked = [
        Sighting(n / 10, ONE, "missing", f"/previews/{n}", "ada", "person") for n in range(100)
    ]

    assert found(asked) == []


def test_the_same_missing_path_counts_once_and_others_refuse_everything():
    assert found(Sighting(n, ONE, "missing", "/same") for n in range(500)) == []

    (verdict,) = found(Sighting(n, ONE, "missing", f"/{n}") for n in range(21))
    assert verdict.scope == "all"


@pytest.mark.report(
    "fail2ban/fail2ban#970",
    "a phone asks for icons that no page names, and its owner is banned",
    "a path counts once for an address, so forty phones behind it count as one",
)
def test_forty_phones_that_look_for_icons_are_people():
    sizes = ("", "-120x120", "-152x152", "-167x167", "-180x180")
    icons = [
        f"/apple-touch-icon{size}{kind}.png" for size in sizes for kind in ("", "-precomposed")
    ]
    asked = ["/favicon.ico", "/.well-known/apple-app-site-association", *icons]
    phones = [
        Sighting(phone + n / 20, ONE, "missing", path)
        for phone in range(40)
        for n, path in enumerate(asked)
    ]

    assert found(phones) == []


def test_a_trap_refuses_who_shares_an_address_with_nobody_known():
    assert [each.scope for each in found([Sighting(0, ONE, "trap", "/.env")])] == ["all"]

    known = [signed_in(n, account=f"person {n}") for n in range(40)]
    assert found([*known, Sighting(50, ONE, "trap", "/.env")]) == []


def test_a_dozen_neighbours_who_mistype_are_people():
    assert (
        found(failed(n, f"192.0.2.{n % 12}/32", f"account {n % 12}") for n in range(12 * 5)) == []
    )


def test_neighbours_who_fail_with_forty_accounts_are_a_botnet():
    (verdict,) = found(failed(n, f"192.0.2.{n}/32", f"account {n}") for n in range(40))

    assert (verdict.network, verdict.scope) == ("192.0.2.0/24", "logins")
    assert verdict.parts == {"failures": 40, "clients": 40, "people": 0}


def test_neighbours_of_ipv6_share_a_48():
    (verdict,) = found(failed(n, f"2001:db8:1:{n:x}::/64", f"account {n}") for n in range(40))

    assert verdict.network == "2001:db8:1::/48"


def test_every_person_known_in_a_network_is_one_failure_more():
    known = [signed_in(0, "192.0.2.200/32", f"person {n}") for n in range(10)]
    tries = [failed(n, f"192.0.2.{n}/32", f"account {n}") for n in range(50)]

    assert found([*known, *tries[:49]]) == []
    assert len(found([*known, *tries])) == 1


@pytest.mark.report(
    "mailcow/mailcow-dockerized#935",
    "one offender bans the /24 around it",
    "a network is found for five addresses or more, and loses its logins alone",
)
def test_one_address_that_fails_with_many_accounts_is_no_group():
    verdicts = found(failed(n, account=f"account {n}") for n in range(200))

    assert {each.network for each in verdicts} == {ONE}


@pytest.mark.report(
    "DigitalRuby/IPBan#8",
    "mistakes are counted for good, so that one each day is a ban in the end",
    "points fade, and a network's failures are those of ten minutes",
)
def test_failures_of_a_network_that_are_ten_minutes_old_count_no_more():
    early = [failed(n // 38 * 300, f"192.0.2.{n}/32", f"account {n}") for n in range(39)]
    last = "192.0.2.99/32"

    assert found([*early, failed(600, last, "last")]) != []
    assert found([*early, failed(601, last, "last")]) == []


def test_a_network_has_no_more_tries_and_people_than_it_may():
    judged = groups.Groups()
    for number in range(200):
        judged.failed(failed(0, account=f"account {number}"))
        judged.signed_in(signed_in(0, account=f"person {number}"))

    group = judged._groups.find("192.0.2.0/24")
    assert len(group.people) == groups.MOST_PEOPLE
    assert len(group.tries) < groups.FAILURES + groups.MOST_PEOPLE


def test_memory_has_a_bound_and_knows_the_latest():
    records = Remembered(list, 100, 3_600)
    for number in range(10_000):
        records.of(str(number), number / 10)

    assert len(records._all) == 100
    assert records.find("9999") == []
    assert records.find("9899") is None


def test_what_was_not_seen_for_an_hour_is_forgotten():
    records = Remembered(list, 100, 3_600)
    records.of("a", 0)
    records.of("b", 3_601)

    assert len(records._all) == 1


def test_a_client_has_no_more_names_than_it_may():
    detector = Detector()
    for number in range(1_000):
        detector.observe(signed_in(0, account=f"person {number}"))
        detector.observe(Sighting(0, ONE, "missing", f"/{number}"))

    client = detector.points.clients.find(ONE)
    assert len(client.people) == len(client.paths) == points.MOST_NAMES


def test_flood_is_named_after_three_windows_and_never_refused():
    others = [f"198.18.0.{n}/32" for n in range(20)]
    sightings = []
    for tick in range(400):
        now = tick / 20
        sightings += [Sighting(now, ONE, "ok")] if tick > 100 else []
        sightings += [Sighting(now, others[tick % 20], "ok")]

    verdicts = found(sightings)

    assert {(each.network, each.scope) for each in verdicts} == {(ONE, "named")}
    assert len(verdicts) == 1


def calm(ticks, pause):
    """Return requests of twenty addresses in turn."""
    return [Sighting(tick * pause, f"198.18.0.{tick % 20}/32", "ok") for tick in range(ticks)]


def test_flood_is_named_when_its_peers_are_gone_to_bed():
    alone = [Sighting(20 + tick / 20, ONE, "ok") for tick in range(400)]

    assert [each.network for each in found([*calm(200, 0.1), *alone])] == [ONE]


def test_four_requests_a_second_are_never_abnormal():
    person = [Sighting(20 + tick / 4, ONE, "ok") for tick in range(80)]

    assert found(sorted([*calm(400, 0.1), *person])) == []


@pytest.mark.parametrize("windows", [1, 2])
def test_a_crowd_that_comes_once_is_not_named(windows):
    crowd = [Sighting(20 + n / 30, ONE, "ok") for n in range(60 * windows)]

    assert found(sorted([*calm(400, 0.1), *crowd])) == []


def test_counting_is_bounded_and_never_blames_too_much(monkeypatch):
    monkeypatch.setattr(rates, "MOST_COUNTED", 100)
    counted = rates.Rates(lambda _: 1)
    for number in range(10_000):
        counted.observe(Sighting(0, f"{number}", "ok"))
        if number % 4 == 0:
            counted.observe(Sighting(0, ONE, "ok"))

    counts = counted._windows[0]
    assert len(counts) <= 100
    # Misra and Gries: too small by at most (requests / senders counted).
    assert 2_500 - 12_500 / 100 <= counts[rates.Sender("address", ONE, ONE)] <= 2_500


def test_peers_that_get_busy_as_a_whole_are_not_named():
    partners = [f"partner {n}" for n in range(10)]
    sightings = [
        Sighting(number / 100, ONE, "ok", account=partners[number % 10], peers="partner")
        for number in range(4_000)
        if number > 2_000 or number % 100 < 10
    ]

    assert found(sightings) == []


def test_replay_finds_every_attacker_in_time_and_no_person():
    outcome = run(0, Detector())

    assert outcome.people == {}
    assert outcome.found.keys() == set(BOUNDS)
    assert all(outcome.through[name] <= bound for name, bound in BOUNDS.items())
