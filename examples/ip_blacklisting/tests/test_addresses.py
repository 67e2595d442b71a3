"""Who a request comes from, whatever it says about itself."""

import tracemalloc
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shield.addresses import Network, host_of, meant, parse_address, parse_network
from shield.client import Proxies, hops

PROXIES = Proxies("10.0.0.0/8, fd00::/8")
CLIENT, VICTIM = "203.0.113.7", "198.51.100.9"


def client(peer, header="", *, rfc7239=False):
    found = PROXIES.client(peer, hops(header, rfc7239=rfc7239))
    return (
        None
        if found is None
        else str(IPv6Address(found << 64) if found >> 32 else IPv4Address(found))
    )


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
    assert parse_address(text) == 0xFFFF_CB007107
    assert host_of(parse_address(text)) == 0xCB007107


@pytest.mark.parametrize(
    "text", ["2001:db8::1", "2001:DB8::1", "[2001:db8::1]:443", "2001:db8:0::1%eth0"]
)
def test_notations_of_an_ipv6_address_are_one(text):
    assert parse_address(text) == 0x20010DB8 << 96 | 1
    assert host_of(parse_address(text)) == 0x20010DB8 << 32


def test_addresses_of_one_64_are_one_client():
    for text in ("2001:db8::1", "2001:db8::ffff:1", "2001:db8::/65", "2001:db8::/64"):
        assert meant(text) == parse_network("2001:db8::/64")
    assert meant("2001:db8::/63") == parse_network("2001:db8::/63")
    assert meant("2001:db8::/96").key == parse_network("2001:db8::/64").key


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

    assert client("10.0.0.2", header, rfc7239=True) == "2001:db8::"


def test_forwarded_without_for_is_nobody():
    assert client("10.0.0.2", "for=1.1.1.1, proto=https", rfc7239=True) is None


@pytest.mark.report(
    "playframework/playframework#14084",
    "`Forwarded` is split at commas within quoted strings",
    "an element is read as RFC 7239 writes it",
)
@pytest.mark.parametrize(
    "element",
    [
        'proto=http;host="a,for=203.0.113.99";for=203.0.113.7',
        'host="a,for=203.0.113.99;x=";for=203.0.113.7;proto="https"',
        'host="a\\",for=203.0.113.99;x=\\"";for=203.0.113.7',
        'for="203.0.113.7";host=", for=203.0.113.99, "',
    ],
)
def test_what_is_quoted_in_forwarded_is_no_hop(element):
    assert client("10.0.0.2", element, rfc7239=True) == CLIENT


@pytest.mark.report(
    "falconry/falcon#1116",
    "a quote in `Forwarded` that a client opens swallows what the proxy appends",
    "elements are read from the right, where proxies wrote them",
)
@pytest.mark.parametrize("forged", ['for=1.1.1.1;by="', '"', 'for="1.1.1.1', "for=1.1.1.1;;", ","])
@pytest.mark.parametrize("own", [CLIENT, f'"{CLIENT}"', f'"{CLIENT}:443";proto="https"'])
def test_quote_that_a_client_opens_ends_before_the_proxy(forged, own):
    assert client("10.0.0.2", f"{forged}, for={own}", rfc7239=True) == CLIENT


@given(st.lists(st.text('for="1.;, \\', max_size=30), max_size=6))
def test_nothing_left_of_the_proxys_element_changes_it(forged):
    header = ",".join([*forged, f'for="{CLIENT}";host="a,b\\"c"'])

    assert client("10.0.0.2", header, rfc7239=True) == CLIENT


def test_forwarded_is_read_through_several_proxies():
    header = f'for={VICTIM}, for={CLIENT};proto=https, for="10.0.0.9:80",for=10.0.0.1'

    assert client("10.0.0.2", header, rfc7239=True) == CLIENT


def test_two_fors_in_one_element_name_nobody():
    assert client("10.0.0.2", f"for={VICTIM};for={CLIENT}", rfc7239=True) is None


@pytest.mark.report(
    "Flowfin/jellyfin-plugin-sso#194",
    "all of IPv4 behind a NAT64 is one client",
    "`64:ff9b::203.0.113.1` is 203.0.113.1",
)
def test_address_behind_a_nat64_is_the_one_in_it():
    assert parse_address("64:ff9b::203.0.113.1") == parse_address("203.0.113.1")
    assert str(meant("64:ff9b::203.0.113.1")) == "203.0.113.1/32"
    assert str(parse_network("64:ff9b::/96")) == "0.0.0.0/0"


@pytest.mark.report(
    "luisgamas/uxnan#101",
    "what is kept for each address grows with what clients write",
    "a long hop is not kept: 5,000 of 8 kB take less than 2 MB",
)
def test_long_hops_are_not_kept():
    proxies = Proxies("10.0.0.0/8")
    tracemalloc.start()
    for number in range(5_000):
        assert proxies.client("10.0.0.2", [f"{number}" + "7" * 8_000]) is None
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 2_000_000


@given(st.lists(st.text(st.characters(exclude_characters=","), max_size=40), max_size=8))
def test_nothing_left_of_the_client_changes_it(forged):
    assert client("10.0.0.2", ",".join([*forged, CLIENT])) == CLIENT


@given(st.integers(0, 2**128 - 1))
def test_every_address_is_read_as_it_is_written(value):
    expected = value
    if value >> 32 in (0xFFFF, 0x64FF9B << 64):
        expected = 0xFFFF << 32 | value & 0xFFFFFFFF

    assert parse_address(str(IPv6Address(value))) == expected


@given(st.integers(0, 2**32 - 1))
def test_address_of_ipv6_is_never_one_of_ipv4(value):
    """Nobody has an address in ::/32, but anybody may write one."""
    assert host_of(parse_address(str(IPv6Address(value << 64 | 1)))) == 0
    assert Network(value << 64, 64).span == (0, 0)


def test_proxy_of_ipv6_is_one_address():
    proxies = Proxies("2001:db8::7, ::1")

    assert proxies.client("2001:db8::7", [CLIENT]) == host_of(parse_address(CLIENT))
    assert proxies.client("2001:db8::8", [CLIENT]) == host_of(parse_address("2001:db8::8"))
    assert proxies.client("::1", [CLIENT]) == host_of(parse_address(CLIENT))
    assert proxies.client("0.0.0.0", [CLIENT]) == 0


@pytest.mark.report(
    "fideloper/TrustedProxy#107",
    "0.0.0.0/0 is passed on as the setting that works, and each client chooses its address",
    "a network wider than any private one is refused at the start",
)
@pytest.mark.parametrize(
    "network", ["0.0.0.0/0", "::/0", "2000::/3", "10.0.0.0/7", "::ffff:0:0/96"]
)
def test_proxies_that_would_be_everybody_are_refused(network):
    Proxies("10.0.0.0/8, fc00::/7, 127.0.0.1")
    with pytest.raises(ValueError, match="contains strangers"):
        Proxies(f"10.0.0.1, {network}")


def test_malformed_proxy_is_named():
    with pytest.raises(ValueError, match="'x' is neither"):
        Proxies("10.0.0.0/8, x")
