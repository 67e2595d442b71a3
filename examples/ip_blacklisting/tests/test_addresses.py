"""Who a request comes from, whatever it says about itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shield.addresses import Address, account, parse_address, parse_network
from shield.client import Proxies, hops

PROXIES = Proxies.parse("10.0.0.0/8, fd00::/8")
CLIENT, VICTIM = "203.0.113.7", "198.51.100.9"


def client(peer, header="", *, rfc7239=False):
    found = PROXIES.client(peer, hops(header, rfc7239=rfc7239))
    return found and str(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "_hidden",
        "01.2.3.4",
        "1.2.3",
        "0x7f.1.1.1",
        "1.2.3.4.5",
        "1.2.3.4:",
        "1.2.3.4:x",
        "[::1",
        "[::1]x",
        "::1::",
        "999.1.1.1",
        "1.2.3.4\x00",
        "é",
        "7" * 300,
        "1.2.3.4/32",
    ],
)
def test_what_is_no_address_is_none(text):
    assert parse_address(text) is None


@pytest.mark.parametrize(
    "text", ["999.1.1.1/8", "1.2.3.4/33", "::/129", "1.2.3.0/x", "1.2.3.0/-1", "", "/8"]
)
def test_what_is_no_network_is_named(text):
    with pytest.raises(ValueError, match="neither an address nor a CIDR"):
        parse_network(text)


def test_network_with_bits_after_its_prefix_is_refused():
    with pytest.raises(ValueError, match=r"192\.0\.2\.1/24"):
        parse_network("192.0.2.1/24")


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.7",
        " 203.0.113.7 ",
        "203.0.113.7:80",
        "::ffff:203.0.113.7",
        "[::FFFF:203.0.113.7]:80",
        "::ffff:cb00:7107",
        "0:0:0:0:0:ffff:cb00:7107",
    ],
)
def test_notations_of_an_ipv4_address_are_one(text):
    assert parse_address(text) == Address(4, 0xCB007107)


@pytest.mark.parametrize(
    "text", ["2001:db8::1", "2001:DB8::1", "[2001:db8::1]:443", "2001:db8:0::1%eth0"]
)
def test_notations_of_an_ipv6_address_are_one(text):
    assert str(parse_address(text)) == "2001:db8::1"


def test_addresses_of_one_64_are_one_account():
    first, last = parse_address("2001:db8::1"), parse_address("2001:db8::ffff:ffff:ffff:ffff")

    assert account(first) == account(last) == parse_network("2001:db8::/64")


def test_header_of_a_stranger_is_not_believed():
    assert client(CLIENT, VICTIM) == CLIENT


def test_rightmost_stranger_is_the_client():
    assert client("10.0.0.2", f"{VICTIM}, {CLIENT}, 10.0.0.1") == CLIENT


def test_malformed_hop_of_a_proxy_is_nobody():
    assert client("10.0.0.2", f"{VICTIM}, unknown") is None


def test_peer_without_an_address_is_nobody():
    assert client("", VICTIM) is None


def test_request_from_inside_is_its_farthest_proxys():
    assert client("10.0.0.2", "10.0.0.9") == "10.0.0.9"


def test_forwarded_is_read_from_the_right_too():
    header = f'for={VICTIM};proto=https, For="[2001:db8::1]:4711";by=10.0.0.1'

    assert client("10.0.0.2", header, rfc7239=True) == "2001:db8::1"


def test_forwarded_without_for_is_nobody():
    assert client("10.0.0.2", "for=1.1.1.1, proto=https", rfc7239=True) is None


@given(st.lists(st.text(max_size=40).filter(lambda text: "," not in text), max_size=8))
def test_nothing_left_of_the_client_changes_it(forged):
    assert client("10.0.0.2", ",".join([*forged, CLIENT])) == CLIENT


@given(st.integers(0, 2**128 - 1))
def test_every_address_is_read_as_it_is_written(value):
    address = parse_address(str(Address(6, value)))

    assert address == (
        Address(4, value & 0xFFFFFFFF) if value >> 32 == 0xFFFF else Address(6, value)
    )


def test_malformed_proxy_is_named():
    with pytest.raises(ValueError, match="trusted proxy 'x'"):
        Proxies.parse("10.0.0.0/8, x")
