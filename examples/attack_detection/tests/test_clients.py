"""Who a request comes from, in every notation; and how it came about."""

import pytest
from detector.clients import MOST_HOPS, Proxies, client_of, hops, neighbours, parse_address
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
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::4]:80", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::2", "::/64"),
    ],
)
def test_notations_of_one_client(text, client):
    assert client_of(parse_address(text)) == client


@pytest.mark.parametrize("text", ["", "unknown", "010.1.1.1", "1.2.3", "1.2.3.4\0", "a" * 60_000])
def test_what_is_no_address(text):
    assert parse_address(text) is None


def test_nobody_forges_a_hop_behind_a_trusted_proxy():
    assert str(PROXIES.client("10.0.0.1", hops("8.8.8.8, 192.0.2.1, 10.0.0.2"))) == "192.0.2.1"
    assert str(PROXIES.client("192.0.2.9", hops("8.8.8.8"))) == "192.0.2.9"
    assert PROXIES.client("10.0.0.1", hops("8.8.8.8, unknown")) is None
    assert PROXIES.client("10.0.0.1", hops("")) is None


@pytest.mark.parametrize(
    ("client", "group"),
    [("192.0.2.77/32", "192.0.2.0/24"), ("2001:db8:1:2::/64", "2001:db8:1::/48")],
)
def test_neighbours(client, group):
    assert neighbours(client) == group


def test_hops_are_read_from_the_right_and_not_without_end():
    assert len(hops(",".join(["1.1.1.1"] * 5_000))) == MOST_HOPS


@pytest.mark.parametrize(
    ("method", "site", "mode", "dest", "how"),
    [
        ("GET", "", "", "", "itself"),
        ("GET", "same-origin", "cors", "empty", "itself"),
        ("GET", "none", "navigate", "document", "by a link"),
        ("GET", "cross-site", "navigate", "document", "by a link"),
        ("GET", "cross-site", "no-cors", "image", "for another page"),
        ("GET", "cross-site", "navigate", "iframe", "for another page"),
        ("POST", "cross-site", "navigate", "document", "for another page"),
        ("POST", "same-origin", "navigate", "document", "itself"),
    ],
)
def test_how_a_request_came_about(method, site, mode, dest, how):
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    headers = {name: value for name, value in said.items() if value}

    assert asked(method, headers) == how
