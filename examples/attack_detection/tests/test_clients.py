"""Who a request comes from, in every notation; and how it came about."""

import pytest
from detector.clients import MOST_HOPS, Proxies, client_of, neighbours, parse_address
from detector.fetch_metadata import asked

PROXIES = Proxies.parse("10.0.0.0/8, ::1/128")


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        (" 192.0.2.1:443", "192.0.2.1/32"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1/32"),
        ("64:ff9b::192.0.2.1", "192.0.2.1/32"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45/32"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::4]:80", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::2", "::/64"),
    ],
)
@pytest.mark.report(
    "Flowfin/jellyfin-plugin-sso#317",
    "behind a NAT64 gateway all clients of IPv4 are one",
    "each is the address of IPv4 that is in it",
)
@pytest.mark.report(
    "PBH-BTN/PeerBanHelper#1922",
    "strangers at one Teredo server share a network, and one of them bans it",
    "each is the address of IPv4 that is in its own",
)
@pytest.mark.report(
    "getgrav/grav-plugin-login#204",
    "each of the 2^64 addresses of one host has tries of its own",
    "a client of IPv6 is its /64",
)
def test_notations_of_one_client(text, client):
    assert client_of(parse_address(text)) == client


@pytest.mark.parametrize("text", ["", "unknown", "010.1.1.1", "1.2.3", "1.2.3.4\0", "a" * 60_000])
def test_what_is_no_address(text):
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("10.0.0.1", "8.8.8.8, 192.0.2.1, 10.0.0.2", "192.0.2.1/32"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.9", "8.8.8.8", "192.0.2.9/32"),
        ("10.0.0.1", "8.8.8.8, unknown", ""),
        ("10.0.0.1", "8.8.8.8," + "x" * 60_000, ""),
        ("10.0.0.1", "", ""),
        ("10.0.0.1", "10.0.0.2", ""),
        ("64:ff9b::a00:1", "8.8.8.8", "10.0.0.1/32"),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "8.8.8.8", "10.0.0.1/32"),
    ],
)
def test_nobody_forges_a_hop_behind_a_trusted_proxy(peer, header, client):
    assert PROXIES.client(peer, header) == client


def test_hops_are_not_read_without_end():
    assert PROXIES.client("10.0.0.1", "192.0.2.1" + ",10.0.0.1" * (MOST_HOPS - 1)) == "192.0.2.1/32"
    assert PROXIES.client("10.0.0.1", "192.0.2.1" + ",10.0.0.1" * MOST_HOPS) == ""


@pytest.mark.parametrize(
    ("client", "group"),
    [("192.0.2.77/32", "192.0.2.0/24"), ("2001:db8:1:2::/64", "2001:db8:1::/48")],
)
def test_neighbours(client, group):
    assert neighbours(client) == group


@pytest.mark.parametrize(
    ("method", "site", "mode", "dest", "how"),
    [
        ("GET", "", "", "", "by a program"),
        ("GET", "same-origin", "cors", "empty", "by a browser"),
        ("GET", "none", "navigate", "document", "by a browser"),
        ("GET", "cross-site", "navigate", "document", "by a browser"),
        ("POST", "same-origin", "navigate", "document", "by a browser"),
        ("GET", "cross-site", "no-cors", "image", "as a part of a page"),
        ("GET", "same-origin", "no-cors", "image", "as a part of a page"),
        ("GET", "cross-site", "navigate", "iframe", "as a part of a page"),
        ("GET", "cross-site", "cors", "empty", "as a part of a page"),
        ("POST", "cross-site", "navigate", "document", "as a part of a page"),
    ],
)
def test_how_a_request_came_about(method, site, mode, dest, how):
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    headers = {name: value for name, value in said.items() if value}

    assert asked(method, headers) == how
