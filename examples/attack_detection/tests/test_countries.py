"""The country of an address: what the file does not know is an answer, however it says so."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from kept import countries
from mmdb_writer import MMDBWriter
from netaddr import IPSet

# As the registries of addresses have delegated them (2026-11); of 139.191.0.0/16 they say `EU`.
NETWORKS = json.loads(Path(__file__).with_name("countries.json").read_text("utf-8"))


def record(code):
    return {"country": {"iso_code": code}} if code else {"continent": {"code": "EU"}}


def written(path, records, version=6):
    """Write a file of countries: (networks, record) pairs."""
    writer = MMDBWriter(version, "Countries", ipv4_compatible=version == 6)
    for networks, said in records:
        writer.insert_network(IPSet(networks), said)
    writer.to_db_file(str(path))
    return str(path)


@pytest.fixture
def file_with(settings, tmp_path):
    def use(*records, version=6):
        settings.COUNTRIES = written(tmp_path / "made.mmdb", records, version)
        countries.opened.cache_clear()
        return Path(settings.COUNTRIES)

    yield use
    countries.opened.cache_clear()


def test_the_file_of_this_folder_is_made_of_these_networks(settings, tmp_path):
    made = written(tmp_path / "made.mmdb", [(NETWORKS[code], record(code)) for code in NETWORKS])

    with (
        countries.maxminddb.open_database(made) as new,
        countries.maxminddb.open_database(settings.COUNTRIES) as old,
    ):
        assert list(new) == list(old)


@pytest.mark.parametrize(
    ("client", "code"),
    [
        ("133.1.2.3/32", "JP"),
        ("53.255.255.255/32", "DE"),
        ("54.0.0.0/32", ""),
        ("2003:1::/64", "DE"),
        ("240e:0:0:1::/64", "CN"),
    ],
)
def test_country_of_a_client(client, code):
    assert countries.country(client) == code


@pytest.mark.report(
    "UHH-ISS/honeygrove#35",
    "an address that is in no record raises an error, and the scan is not in the log",
    "it has no country, and its line is kept",
)
@pytest.mark.parametrize("client", ["203.0.113.1/32", "100.64.0.1/32", "2001:db8::/64"])
def test_address_that_is_in_no_record_has_none(client):
    assert countries.country(client) == ""


@pytest.mark.report(
    "openedx/openedx-platform#34181",
    "a record that names a continent alone has no country, and the page is a 500",
    "it has no country",
)
def test_record_without_a_country_has_none(file_with):
    assert countries.country("139.191.1.1/32") == ""

    file_with((["192.0.2.0/24"], {"country": {"names": {"en": "?"}}}))
    assert countries.country("192.0.2.1/32") == ""


@pytest.mark.report(
    "daijro/camoufox#323",
    "the country where a network is registered is taken for the one where it is",
    "a record of registration alone has no country",
)
def test_country_of_registration_is_none(file_with):
    file_with((["192.0.2.0/24"], {"registered_country": {"iso_code": "SC"}}))

    assert countries.country("192.0.2.1/32") == ""


@pytest.mark.report(
    "AKVorrat/dearmep#17",
    "a file that says `None` in words is believed, and `None` is a country",
    "a code has two letters",
)
@pytest.mark.report(
    "plausible/analytics#2556",
    "codes such as `XX`, `ZZ` and `T1` are stored as countries, and pages that show them fail",
    "what ISO 3166 gives to no country is none",
)
@pytest.mark.parametrize(
    "said", ["None", "XX", "ZZ", "EU", "AP", "T1", "--", "jp", "\0\0", 12, ["JP"]]
)
def test_what_is_no_code_is_no_country(file_with, said):
    file_with((["192.0.2.0/24"], record(said)), (["198.51.100.0/24"], record("JP")))

    assert countries.country("192.0.2.1/32") == ""
    assert countries.country("198.51.100.1/32") == "JP"


# Of an ASN file; of the free files of two other makers; and what nobody makes.
OTHERS = [
    {"autonomous_system_number": 64_496},
    {"country": "Japan", "country_code": "JP"},
    {"country_code": "JP"},
    ["JP"],
    "JP",
    7,
]


@pytest.mark.report(
    "logstash-plugins/logstash-filter-geoip#103",
    "a file of another kind opens, each lookup in it fails, and the pipeline stops",
    "it is told before the start, and costs no line",
)
@pytest.mark.parametrize("other", OTHERS)
def test_file_of_another_kind(file_with, other):
    file_with((["192.0.2.0/24"], other))

    assert countries.country("192.0.2.1/32") == ""
    with pytest.raises(SystemCheckError, match=r"COUNTRIES: Countries has no country\.iso_code"):
        call_command("check", tags=["security"])


@pytest.mark.report(
    "vaersaagod/geomate#22",
    "a download that is unzipped and still a tar opens, and every lookup in it fails",
    "it is told before the start, and costs no line",
)
def test_file_in_a_tar(file_with):
    file = file_with((["192.0.2.0/24"], record("JP")))
    head = b"GeoLite2-Country.mmdb".ljust(512, b"\0")
    file.write_bytes(head + file.read_bytes() + bytes(1024))

    assert countries.country("192.0.2.1/32") == ""
    with pytest.raises(SystemCheckError, match="COUNTRIES: "):
        call_command("check", tags=["security"])


def test_address_of_ipv6_and_a_file_for_ipv4_alone(file_with):
    file_with((["192.0.2.0/24"], record("JP")), version=4)

    assert countries.country("2003:1::/64") == ""
    assert countries.country("192.0.2.1/32") == "JP"


@pytest.mark.report(
    "maxmind/MaxMind-DB-Reader-python#58",
    "a broken record ends the process by a signal, in the reader that is written in C",
    "the file is read in Python",
)
def test_key_of_a_record_that_is_no_text(file_with):
    file = file_with((["192.0.2.0/24"], record("JP")))
    number = file.read_bytes().replace(b"Hiso_code", b"hiso_code")  # of the same eight bytes
    file.write_bytes(number)

    assert countries.country("192.0.2.1/32") == ""


def test_record_that_cannot_be_read_costs_no_line(file_with):
    file = file_with((["192.0.2.0/24"], record("JP")))
    tree, separator, rest = file.read_bytes().partition(bytes(16))
    records, marker, metadata = rest.partition(b"\xab\xcd\xefMaxMind.com")
    file.write_bytes(tree + separator + b"\xff" * len(records) + marker + metadata)

    assert countries.country("192.0.2.1/32") == ""


@pytest.mark.report(
    "OpenSIPS/opensips#720",
    "the file is copied over while it is mapped into memory, and the process ends by a signal",
    "a process reads it once, and is started again for a new file",
)
def test_file_that_is_written_into_while_it_is_used(file_with):
    file = file_with((["192.0.2.0/24"], record("JP")))
    assert countries.country("192.0.2.1/32") == "JP"
    with file.open("r+b") as same:
        same.truncate(0)

    assert countries.country("192.0.2.200/32") == "JP"


@pytest.mark.parametrize("content", [None, b"", b"no such file", bytes(10_000)])
def test_file_that_cannot_be_read_is_told_before_the_start(settings, tmp_path, content):
    settings.COUNTRIES = str(tmp_path / "bad.mmdb")
    if content is not None:
        Path(settings.COUNTRIES).write_bytes(content)
    countries.opened.cache_clear()
    try:
        with pytest.raises(SystemCheckError, match="COUNTRIES: "):
            call_command("check", tags=["security"])
    finally:
        countries.opened.cache_clear()
