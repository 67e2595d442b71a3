"""The layers of the list: exceptions, bans with an expiry, and feeds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shield.addresses import WIDTH, Address, Network, parse_address, parse_network
from shield.matcher import Matcher
from shield.run import Run, pack
from shield.table import Entry, Table


def network(text):
    return parse_network(text)


def test_entry_is_what_was_packed():
    whole = Entry(2**33 - 1, 2**33)

    assert Entry.unpacked(whole.packed()) == whole


def test_exception_wins_over_a_ban_and_a_feed():
    matcher = Matcher()
    matcher.bans.add(network("192.0.2.1"), Entry(1))
    matcher.feeds = Run.of([network("192.0.2.0/24").span])
    matcher.exceptions.add(network("192.0.2.0/28"), Entry(2))

    assert not matcher.refuses(parse_address("192.0.2.1"), 0)
    assert matcher.refuses(parse_address("192.0.2.16"), 0)


def test_exception_that_has_expired_is_none():
    matcher = Matcher()
    matcher.bans.add(network("192.0.2.1"), Entry(1))
    matcher.exceptions.add(network("192.0.2.1"), Entry(2, 10))

    assert matcher.refuses(parse_address("192.0.2.1"), 10)


def test_ban_ends_in_its_last_second():
    table = Table()
    table.add(network("192.0.2.1"), Entry(1, 1_000))

    assert table.contains(parse_address("192.0.2.1"), 999.9)
    assert not table.contains(parse_address("192.0.2.1"), 1_000)


def test_expired_ban_does_not_hide_a_wider_one():
    table = Table()
    table.add(network("192.0.2.1"), Entry(1, 10))
    table.add(network("192.0.0.0/16"), Entry(2))

    assert table.contains(parse_address("192.0.2.1"), 20)


def test_removal_leaves_what_contains_it():
    table = Table()
    table.add(network("192.0.2.1"), Entry(1))
    table.add(network("192.0.2.0/24"), Entry(2))
    table.remove(network("192.0.2.1"))
    table.remove(network("192.0.2.1"))

    assert table.contains(parse_address("192.0.2.1"), 0)
    assert len(table) == 1


@pytest.mark.parametrize("wide", ["192.0.0.0/9", "0.0.0.0/0"])
@pytest.mark.parametrize("wide_first", [True, False])
def test_network_wider_than_a_top_is_found_next_to_a_narrow_one(wide, wide_first):
    table = Table()
    for each in sorted([wide, "192.0.2.1"], key=lambda text: (text == wide) != wide_first):
        table.add(network(each), Entry(1))

    assert table.contains(parse_address("192.0.2.9"), 0)
    assert table.contains(parse_address("192.1.2.9"), 0)


def test_lookup_probes_only_lengths_that_its_first_bits_have():
    table = Table()
    for length in range(16, 33):
        table.add(Network(4, length << 24, length), Entry(length))
    table.add(network("198.51.100.0/24"), Entry(1))

    assert len(table._tops[4][0xC633]) == 1


def test_run_of_another_machine_is_refused():
    with pytest.raises(ValueError, match="byte order"):
        Run(memoryview(b"run3gib " + bytes(16)))


@st.composite
def networks(draw):
    version = draw(st.sampled_from((4, 6)))
    length = draw(st.integers(0, WIDTH[version]))
    shift = WIDTH[version] - length
    return Network(version, draw(st.integers(0, 2 ** WIDTH[version] - 1)) >> shift << shift, length)


@settings(max_examples=200)
@given(st.lists(networks(), max_size=20))
def test_run_and_table_contain_what_the_networks_contain(given_networks):
    spans = [each.span for each in given_networks]
    run, table = Run.of(spans), Table()
    for each in given_networks:
        table.add(each, Entry(1))
    for version, first, last in spans:
        for number in (first - 1, first, last, last + 1):
            if not 0 <= number < 1 << WIDTH[version]:
                continue
            address = Address(version, number)
            inside = any(
                each.version == version and each.first <= number <= each.last for each in spans
            )
            assert (address in run) == inside
            assert table.contains(address, 0) == inside
    assert list(Run.of(run)) == list(run)


@given(st.lists(networks(), max_size=10), networks())
def test_run_touches_what_overlaps_one_of_its_networks(given_networks, other):
    run = Run.of(each.span for each in given_networks)

    assert run.touches(other.span) == any(each.overlaps(other) for each in given_networks)


def test_range_takes_8_or_32_bytes_and_neighbours_are_one():
    assert len(pack(Network(6, n << 65, 128).span for n in range(1_000))) < 33_000
    assert len(pack(Network(4, 2 * n, 32).span for n in range(1_000))) < 9_000
    assert len(pack(Network(4, n, 32).span for n in range(1_000))) < 100
