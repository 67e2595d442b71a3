"""The layers of the list: exceptions, bans with an expiry, and feeds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shield.addresses import Network, Span, host_of, parse_address, parse_network
from shield.replica import Replica
from shield.run import END, Run, pack
from shield.table import Table, place_of


def network(text):
    return parse_network(text).key


def host(text):
    return host_of(parse_address(text))


def test_exception_wins_over_a_ban_and_a_feed():
    replica = Replica(run=Run(pack([parse_network("192.0.2.0/24").span])))
    replica.bans.add(network("192.0.2.1"))
    replica.exceptions.add(network("192.0.2.0/28"))

    assert not replica.refuses(host("192.0.2.1"), 0)
    assert replica.refuses(host("192.0.2.16"), 0)


def test_exception_that_has_expired_is_none():
    replica = Replica()
    replica.bans.add(network("192.0.2.1"))
    replica.exceptions.add(network("192.0.2.1"), 10)

    assert replica.refuses(host("192.0.2.1"), 10)


def test_ban_ends_in_its_last_second():
    table = Table([(network("192.0.2.1"), 1_000)])

    assert table.contains(host("192.0.2.1"), 999.9)
    assert not table.contains(host("192.0.2.1"), 1_000)


def test_expired_ban_does_not_hide_a_wider_one():
    table = Table([(network("192.0.2.1"), 10), (network("192.0.0.0/16"), 0)])

    assert table.contains(host("192.0.2.1"), 20)


def test_removal_leaves_what_contains_it():
    table = Table([(network("192.0.2.1"), 0), (network("192.0.2.0/24"), 0)])
    table.remove(network("192.0.2.1"))
    table.remove(network("192.0.2.1"))

    assert table.contains(host("192.0.2.1"), 0)
    assert len(table.entries) == 1


def test_lookup_probes_only_lengths_that_are_around_it():
    table = Table((network(f"0.1.0.0/{length}"), 0) for length in range(16, 33))
    for text in ("198.51.100.0/24", "198.51.0.0/16", "2001:db8::/48", "2001:db9::/56"):
        table.add(network(text))

    for text, lengths in (
        ("198.51.127.1", {24, 16}),  # in the first 18 bits
        ("198.51.128.1", {16}),
        ("198.52.0.1", set()),
        ("2001:db8::1", {48}),
        ("2001:db9::1", {56}),
    ):
        width = 64 if ":" in text else 32
        assert {width - shift for shift in table._shifts[place_of(host(text))]} == lengths


NARROWEST = [
    *((4, length) for length in range(16, 33)),
    *((6, length) for length in range(32, 129)),
]


@st.composite
def networks(draw):
    """Networks as they may be banned, of either kind."""
    version, length = draw(st.sampled_from(NARROWEST))
    if version == 4:
        return Network(0xFFFF << 32 | draw(st.integers(0, 2**32 - 1)), length + 96).cut()
    return Network(draw(st.integers(1 << 96, 2**128 - 1)), length).cut()


@settings(max_examples=200)
@given(st.lists(networks(), max_size=20))
def test_run_and_table_contain_what_the_networks_contain(given_networks):
    spans = [each.span for each in given_networks]
    run, table = Run(pack(spans)), Table((each.key, 0) for each in given_networks)
    for span in spans:
        for number in (span.first - 1, span.first, span.last, span.last + 1):
            inside = any(each.first <= number <= each.last for each in spans)
            if 0 <= number < END:
                assert (number in run) == inside
                assert table.contains(number, 0) == inside
    assert list(Run(pack(run))) == list(run)


@given(st.lists(networks(), max_size=10), networks())
def test_run_touches_what_overlaps_one_of_its_networks(given_networks, other):
    run, span = Run(pack(each.span for each in given_networks)), other.span

    assert run.touches(span) == any(
        each.span.first <= span.last and span.first <= each.span.last for each in given_networks
    )


@pytest.mark.parametrize("text", ["192.0.0.0/9", "2001:db8::/31", "::/0", "ffff::/16"])
def test_run_contains_wide_networks_from_end_to_end(text):
    span = parse_network(text).span
    run = Run(pack([span, parse_network("192.0.2.1").span]))

    assert (span.first in run, span.last in run) == (True, True)
    assert span.last + 1 == END or span.last + 1 not in run


def test_range_takes_16_bytes_and_neighbours_are_one():
    assert len(pack(Span(2 * n, 2 * n) for n in range(1_000))) == 16_000
    assert len(pack(Span(n, n) for n in range(1_000))) == 16
