"""A country is a guess that may be missing, and is never an error."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from shield.addresses import parse_address
from shield.countries import Countries


@pytest.fixture
def path(tmp_path):
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    writer.insert_network(IPSet(["1.1.1.0/24"]), {"country": {"iso_code": "AU"}})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": {"iso_code": "JP"}})
    writer.insert_network(IPSet(["2.2.2.0/24"]), {"country": "nonsense"})
    writer.to_db_file(str(tmp_path / "countries.mmdb"))
    return tmp_path / "countries.mmdb"


@pytest.mark.parametrize(
    ("text", "country"),
    [("1.1.1.9", "AU"), ("2001:db8::7", "JP"), ("9.9.9.9", None), ("2.2.2.2", None)],
)
def test_country_is_that_of_the_network_or_unknown(path, text, country):
    countries = Countries(path)

    assert countries.of(parse_address(text)) == country
    countries.close()


@pytest.mark.parametrize("content", [None, b"", b"not a database"])
def test_missing_or_damaged_file_makes_every_country_unknown(tmp_path, caplog, content):
    path = tmp_path / "countries.mmdb"
    if content is not None:
        path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        countries = Countries(path)

    assert countries.of(parse_address("1.1.1.1")) is None
    assert "countries are unknown" in caplog.text


def test_file_with_a_wrong_name_in_it_is_never_an_error(path):
    content = bytearray(path.read_bytes())
    content[content.rindex(b"build_epoch")] = ord("x")
    path.with_name("damaged.mmdb").write_bytes(content)

    assert Countries(path.with_name("damaged.mmdb")).of(parse_address("1.1.1.1")) is None


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_file_with_wrong_bytes_is_never_an_error(path, data):
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=40)):
        content[place] = data.draw(st.integers(0, 255))
    damaged = path.with_name("damaged.mmdb")
    damaged.unlink(missing_ok=True)  # what is mapped stays as it is
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    countries = Countries(damaged)

    for text in ("1.1.1.1", "2.2.2.2", "9.9.9.9", "2001:db8::1"):
        assert isinstance(countries.of(parse_address(text)), str | None)
    countries.close()


def test_network_is_read_once_even_if_it_has_no_country(path):
    countries = Countries(path)
    for last in range(100):
        countries.of(parse_address(f"9.9.9.{last}"))

    assert countries._of_network.cache_info().misses == 1
    countries.close()
