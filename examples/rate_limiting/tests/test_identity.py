"""Who a request comes from, whatever it says about itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limiter.identity import Identity, Proxies, address_of

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
        pytest.param("", "203.0.113.9", "unknown", id="Unix socket"),
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


@given(st.text(), st.text())
def test_no_header_is_an_error(peer, forwarded_for):
    assert address_of(peer, forwarded_for, PROXIES)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8", "10.0.0.0/8;::1"])
def test_malformed_network_is_one_sentence(text):
    with pytest.raises(ValueError, match="is not a network") as refusal:
        Proxies.parse(f"127.0.0.1, {text}")

    assert "\n" not in str(refusal.value)


def test_no_proxies_trust_nobody():
    assert Proxies.parse("") == Proxies(())
    assert address_of("10.0.0.1", "203.0.113.9", Proxies()) == "10.0.0.1"


def test_kinds_of_identity_never_collide():
    assert Identity("user", "7").client != Identity("key", "7").client
