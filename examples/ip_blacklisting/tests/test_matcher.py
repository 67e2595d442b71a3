"""The layers of the list: exceptions, bans with an expiry, and feeds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shield.addresses import WIDTH, Address, Network, parse_address, parse_network
from shield.matcher import Feed, Matcher, Scope
from shield.run import Run, pack
from shield.table import NEVER, Entry, Table


def entry(expires=NEVER, *, ban=1, scope=Scope.FULL, shadow=False):
    return Entry(ban, expires, scope, shadow)


def test_entry_is_what_was_packed():
    whole = Entry(2**33 - 1, 2**33, Scope.LOGIN, True)

    assert Entry.unpacked(whole.packed()) == whole


def test_exception_wins_over_a_ban_and_a_feed():
    matcher = Matcher()
    matcher.bans.add(parse_network("192.0.2.1"), entry())
    matcher.feeds = {"feed": Feed(2, "feed", Run.of([parse_network("192.0.2.0/24")]))}
    matcher.exceptions.add(parse_network("192.0.2.0/28"), entry())

    assert matcher.find(parse_address("192.0.2.1"), 0) is None
    assert matcher.find(parse_address("192.0.2.16"), 0).source == "feed"


def test_ban_ends_in_its_last_second():
    table = Table()
    table.add(parse_network("192.0.2.1"), entry(1_000))

    assert table.find(parse_address("192.0.2.1"), 999.9)
    assert table.find(parse_address("192.0.2.1"), 1_000) is None


def test_expired_ban_does_not_hide_a_wider_one():
    table = Table()
    table.add(parse_network("192.0.2.1"), entry(10))
    table.add(parse_network("192.0.0.0/16"), entry(ban=2))

    assert table.find(parse_address("192.0.2.1"), 20).id == 2


def test_strictest_of_several_bans_counts():
    table = Table()
    table.add(parse_network("192.0.2.1"), entry(ban=1, scope=Scope.LOGIN))
    table.add(parse_network("192.0.2.0/24"), entry(ban=2))
    table.add(parse_network("192.0.0.0/16"), entry(ban=3, shadow=True))

    assert table.find(parse_address("192.0.2.1"), 0).id == 2


def test_removal_leaves_what_contains_it():
    table = Table()
    table.add(parse_network("192.0.2.1"), entry())
    table.add(parse_network("192.0.2.0/24"), entry(ban=2))
    table.remove(parse_network("192.0.2.1"))

    assert table.find(parse_address("192.0.2.1"), 0).id == 2
    assert table.remove(parse_network("192.0.2.1")) is None


def test_run_of_another_machine_is_refused():
    with pytest.raises(ValueError, match="byte order"):
        Run(memoryview(b"run2gib " + bytes(16)))


@st.composite
def networks(draw):
    version = draw(st.sampled_from((4, 6)))
    length = draw(st.integers(0, WIDTH[version]))
    shift = WIDTH[version] - length
    return Network(version, draw(st.integers(0, 2 ** WIDTH[version] - 1)) >> shift << shift, length)


@settings(max_examples=200)
@given(st.lists(networks(), max_size=20))
def test_run_and_table_contain_what_the_networks_contain(given_networks):
    run, table = Run.of(given_networks), Table()
    for network in given_networks:
        table.add(network, entry())
    for version, value, length in given_networks:
        last = value | ((1 << WIDTH[version] - length) - 1)
        for number in (value - 1, value, last, last + 1):
            if not 0 <= number < 1 << WIDTH[version]:
                continue
            address = Address(version, number)
            inside = any(network.contains(address) for network in given_networks)
            assert (address in run) == inside
            assert bool(table.find(address, 0)) == inside


def test_range_takes_8_or_32_bytes_and_neighbours_are_one():
    assert len(pack(Network(6, n << 65, 128) for n in range(1_000))) < 33_000
    assert len(pack(Network(4, 2 * n, 32) for n in range(1_000))) < 9_000
    assert len(pack(Network(4, n, 32) for n in range(1_000))) < 100
