"""The contracts are files: what is written, what the code says, and what a reviewer sees."""

from io import StringIO
from itertools import zip_longest

import pytest
import yaml
from contract.deprecation import headers
from django.core.management import call_command
from flights.configured import RELEASES, contract


def schema(release, name="Flight"):
    return contract(release).document["components"]["schemas"][name]


@pytest.mark.report(
    "tfranzel/drf-spectacular#445",
    "view functions without a serializer are passed over, with a line on stderr for each",
    "a warning fails, and the contract in the repository has to be that of the code",
)
def test_code_and_contract_agree():
    said = StringIO()

    call_command(
        "spectacular", urlconf="flights.kept", fail_on_warn=True, validate=True, stdout=said
    )

    written = (RELEASES / "2026.yaml").read_text(encoding="utf-8").splitlines()
    for number, (now, then) in enumerate(zip_longest(said.getvalue().splitlines(), written), 1):
        assert now == then, f"line {number} of 2026.yaml"


def test_what_a_client_sends_is_asked_for_as_it_was():
    now, then = contract("2026").operations, contract("2025").operations

    assert now.keys() >= then.keys()
    assert all(
        now[each].query.schema["properties"] == then[each].query.schema["properties"]
        for each in then
    )


@pytest.mark.report(
    "gocardless/coach#59",
    "a rename waits for the next major release, though the new name could stand beside the old",
    "both are there, and the old one says until when",
)
def test_new_names_stand_beside_the_old_ones():
    now, then = schema("2026")["properties"], schema("2025")["properties"]

    assert now.keys() - then.keys() == {"airline", "distance_km"}
    assert {name for name, said in now.items() if said.get("deprecated")} == {"carrier", "distance"}
    assert {said["x-sunset"] for said in now.values() if "x-sunset" in said} == {"2027-06-30"}


def test_unit_that_changed_in_place_is_in_no_schema():
    now, then = ({**schema(each)["properties"]["distance"]} for each in ("in_place", "2025"))

    assert (now.pop("description"), then.pop("description")) == ("Kilometres.", "Miles.")
    assert now == then


def test_dates_are_those_of_what_goes_first():
    goes = {
        "carrier": {"x-deprecated-since": "2026-06-30", "x-sunset": "2027-12-31"},
        "distance": {"x-deprecated-since": "2026-01-31", "x-sunset": "2027-06-30"},
    }

    told = headers(goes, "/redoc/")

    assert told["Deprecation"] == "@1769817600"
    assert told["Sunset"] == "Wed, 30 Jun 2027 00:00:00 GMT"
    assert told["Link"] == '</redoc/>; rel="deprecation"; type="text/html"'


def test_deprecated_without_a_date_is_a_mistake_that_is_found():
    with pytest.raises(KeyError, match="x-deprecated-since"):
        headers({"carrier": {"deprecated": True}}, "/redoc/")


def test_deprecated_fields_are_found_within_lists():
    operations = contract("2026").operations

    assert operations["GET", "/flights/"].deprecated.keys() == {"carrier", "distance"}
    assert operations["POST", "/bookings/"].deprecated == {}


@pytest.mark.parametrize("release", ["2025", "2026", "in_place"])
def test_contract_can_be_read(release):
    document = yaml.safe_load((RELEASES / f"{release}.yaml").read_text(encoding="utf-8"))

    assert document["openapi"] == "3.1.1"
    assert len(contract(release).operations) == 5
