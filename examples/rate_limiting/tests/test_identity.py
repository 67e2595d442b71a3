"""Who a request comes from, whatever it says about itself."""

import pytest
from flights.identity import Proxies, address_of
from hypothesis import given
from hypothesis import strategies as st

PROXIES = Proxies.parse("10.0.0.0/8, 2001:db8:ffff::/48,")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        pytest.param("198.51.100.1", "", "198.51.100.1", id="no header"),
        pytest.param("198.51.100.1", "203.0.113.9", "198.51.100.1", id="peer is no proxy"),
        pytest.param("10.0.0.1", "203.0.113.9", "203.0.113.9", id="one hop"),
        pytest.param("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9", id="forged on the left"),
        pytest.param("10.0.0.1", "10.6.6.6, 203.0.113.9", "203.0.113.9", id="forged proxy"),
        pytest.param("10.0.0.1", "203.0.113.9, 10.2.2.2", "203.0.113.9", id="two proxies"),
        pytest.param("10.0.0.1", "junk, 203.0.113.9", "203.0.113.9", id="junk on the left"),
        pytest.param("10.0.0.1", "203.0.113.9, junk", "10.0.0.1", id="junk hop: the peer"),
        pytest.param("10.0.0.1", "203.0.113.9, junk, 10.2.2.2", "10.0.0.1", id="junk: not the hop"),
        pytest.param("10.0.0.1", "203.0.113.9,", "10.0.0.1", id="empty hop: the peer"),
        pytest.param("10.0.0.1", "10.7.7.7, 10.2.2.2", "10.7.7.7", id="all trusted: left-most"),
        pytest.param("10.0.0.1", "x" * 9_000, "10.0.0.1", id="endless entry"),
        pytest.param("10.0.0.1", "6.6.6.6," * 9_000 + "203.0.113.9", "203.0.113.9", id="endless"),
        pytest.param("10.0.0.1", "203.0.113.9:4711", "203.0.113.9", id="port"),
        pytest.param("10.0.0.1", "[2001:db8::1]:443", "2001:db8::/64", id="brackets and port"),
        pytest.param("10.0.0.1", "[2001:db8::1]", "2001:db8::/64", id="brackets"),
        pytest.param("10.0.0.1", "fe80::1%eth0", "fe80::/64", id="zone"),
        pytest.param("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9", id="mapped client"),
        pytest.param("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9", id="mapped proxy"),
        pytest.param("2001:db8:ffff::1", "203.0.113.9", "203.0.113.9", id="IPv6 proxy"),
        pytest.param("10.0.0.1", " 203.0.113.9\t", "203.0.113.9", id="spaces"),
        pytest.param("10.0.0.1", "203.0.113.09", "10.0.0.1", id="leading zero is malformed"),
    ],
)
def test_client_is_the_right_most_hop_that_no_trusted_proxy_wrote(peer, forwarded_for, client):
    assert address_of(peer, forwarded_for, PROXIES) == client


@given(st.text(), st.ip_addresses(v=4).filter(lambda address: address.packed[0] != 10))
def test_nothing_left_of_the_client_changes_it(forged, client):
    assert address_of("10.0.0.1", f"{forged}, {client}", PROXIES) == str(client)


@given(st.integers(0, 2**64 - 1))
def test_all_addresses_of_a_64_are_one_client(host):
    network = 0x2001_0DB8_0001_0002 << 64
    groups = f"{network + host:032x}"
    address = ":".join(groups[i : i + 4] for i in range(0, 32, 4))

    assert address_of(address, "", PROXIES) == "2001:db8:1:2::/64"


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8", "10.0.0.0/8;::1"])
def test_malformed_network_is_one_sentence(text):
    with pytest.raises(ValueError, match="is not a network") as refusal:
        Proxies.parse(f"127.0.0.1, {text}")

    assert "\n" not in str(refusal.value)


@pytest.mark.report(
    "guardian/gateway#3376",
    "every peer is a trusted proxy, so whoever forges X-Forwarded-For is another client each time",
    "a network of everybody is an error at start",
)
@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "::ffff:0:0/96", "10.0.0.0/8, 0.0.0.0/0"])
def test_a_proxy_that_could_be_anybody_is_refused(text):
    with pytest.raises(ValueError, match="is everybody, and each may name any client"):
        Proxies.parse(text)


def test_no_proxies_trust_nobody():
    assert Proxies.parse("") == Proxies(())
    assert address_of("10.0.0.1", "203.0.113.9", Proxies()) == "10.0.0.1"


@given(st.ip_addresses(), st.text())
def test_no_header_is_an_error(peer, forwarded_for):
    assert address_of(str(peer), forwarded_for, PROXIES)


@pytest.mark.report(
    "Flowfin/jellyfin-plugin-sso#194",
    "all clients behind a translator to IPv6 shared one /64, and one ban",
    "the IPv4 address within the IPv6 one is the client",
)
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("64:ff9b::203.0.113.1", id="NAT64"),
        pytest.param("2002:cb00:7101::9", id="6to4"),
        pytest.param("::203.0.113.1", id="compatible"),
        pytest.param("::ffff:203.0.113.1", id="mapped"),
    ],
)
def test_an_embedded_ipv4_address_is_the_client(address):
    assert address_of(address, "", PROXIES) == "203.0.113.1"
    assert address_of("10.0.0.1", address, PROXIES) == "203.0.113.1"


@pytest.mark.parametrize("address", ["::", "::1"])
def test_what_only_looks_like_an_embedded_address_stays(address):
    assert address_of(address, "", PROXIES) == "::/64"


@pytest.mark.report(
    "nextcloud/server#52015",
    "who owns a /48 has 65,536 /64s, and as many tries",
    "the prefix that counts as one client is a setting",
)
def test_the_prefix_of_an_ipv6_client_is_a_setting():
    neighbours = ["2001:db8:1:1::7", "2001:db8:1:ffff::7"]

    assert len({address_of(each, "", PROXIES) for each in neighbours}) == 2
    assert {address_of(each, "", PROXIES, 48) for each in neighbours} == {"2001:db8:1::/48"}


@pytest.mark.report(
    "benoitc/gunicorn#797",
    "behind a Unix socket the peer has no address",
    "trusted as `unix`, the proxy's header names the client; otherwise an error, never one bucket",
)
def test_a_peer_without_an_address_is_a_trusted_proxy_or_an_error():
    behind = Proxies.parse("unix, 10.0.0.0/8")

    assert address_of("", "6.6.6.6, 203.0.113.9", behind) == "203.0.113.9"
    assert address_of("localhost", "203.0.113.9, 10.2.2.2", behind) == "203.0.113.9"
    for peer, forwarded_for, proxies in (
        ("", "203.0.113.9", PROXIES),
        ("", "", behind),
        ("", "junk", behind),
    ):
        with pytest.raises(ValueError, match="TRUSTED_PROXIES needs 'unix'"):
            address_of(peer, forwarded_for, proxies)


def test_a_mapped_network_of_proxies_is_one_of_ipv4():
    mapped = Proxies.parse("::ffff:10.0.0.0/104")

    assert mapped == Proxies.parse("10.0.0.0/8")
    assert address_of("::ffff:10.0.0.1", "203.0.113.9", mapped) == "203.0.113.9"
