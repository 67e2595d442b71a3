"""A country is a guess that may be missing, and is never an error."""

import logging

import pytest
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


def test_network_is_read_once_even_if_it_has_no_country(path):
    countries = Countries(path)
    for last in range(100):
        countries.of(parse_address(f"9.9.9.{last}"))

    assert countries._of_network.cache_info().misses == 1
    countries.close()
