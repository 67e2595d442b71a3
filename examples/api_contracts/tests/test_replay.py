"""What an earlier client would miss is found; what came since is nobody's concern."""

import pytest
from contract.replay import Answer, Call, replay
from flights.configured import contract

FLIGHT = {
    "id": 1,
    "carrier": "UA",
    "number": 1545,
    "origin": "EWR",
    "destination": "IAH",
    "departs": "2013-01-01T10:15:00Z",
    "delay": 2,
    "distance": 1400,
    "status": "on_time",
    "bags": 0,
}
CALL = Call("a flight", "GET", "/flights/{id}/", "/flights/1/", 200, {**FLIGHT, "bags": None})
LISTED = Call(
    *("a page", "GET", "/flights/", "/flights/", 200),
    says={"count": 2, "results": [{"id": 1}, {"id": 2}]},
)


def fault(body, call=CALL, status=200, media="application/json"):
    answer = Answer(status, {"content-type": media}, body)
    ((_, found),) = replay([call], contract("2025"), lambda *_: answer)
    return found


def test_answer_as_it_was_is_kept():
    assert fault(FLIGHT) == ""


def test_what_came_since_and_what_may_change_are_no_fault():
    assert fault(FLIGHT | {"airline": "UA", "bags": 7}) == ""


@pytest.mark.report(
    "filesender/filesender#2725",
    "`uid` of an answer becomes `puid` in a release: its clients break, and the page says `uid`",
    "the replay of an earlier client misses the name",
)
def test_renamed_field_is_found():
    renamed = {"airline" if name == "carrier" else name: value for name, value in FLIGHT.items()}

    assert "'carrier' is a required property" in fault(renamed)


@pytest.mark.report(
    "nervosnetwork/ckb#3028",
    "a duration becomes milliseconds under its old name and type: no schema differs",
    "a recorded answer has the value itself",
)
def test_changed_unit_is_found_though_the_answer_is_valid():
    assert fault(FLIGHT | {"distance": 2253}) == "$.distance was 1400, and is 2253"


@pytest.mark.report(
    "oasdiff/oasdiff#639",
    "an enum of answers loses a value and gains one: a diff warns of the one, or says nothing",
    "the answer is invalid by the earlier contract as soon as one has it",
)
def test_value_that_came_to_an_enum_is_found():
    assert "'early' is not one of" in fault(FLIGHT | {"status": "early"})


def test_null_is_found():
    assert "None is not of type 'integer'" in fault(FLIGHT | {"delay": None})


def test_shorter_page_is_found():
    page = {"count": 2, "page": 1, "page_size": 1, "results": [FLIGHT]}

    assert "$.results was" in fault(page, LISTED)
    page["results"] = [FLIGHT, FLIGHT | {"id": 2}, FLIGHT | {"id": 3}]
    assert fault(page, LISTED) == ""


def test_another_order_is_found():
    page = {"count": 2, "page": 1, "page_size": 2, "results": [FLIGHT | {"id": 2}, FLIGHT]}

    assert "$.results[0].id was 1, and is 2" in fault(page, LISTED)


def test_other_status_and_other_type_are_found():
    assert fault({}, status=404) == "status 404 instead of 200"
    assert fault(FLIGHT, media="text/html") == "text/html was never promised"


def test_version_and_id_of_an_answer_are_sent_with_the_next_call():
    sent = []

    def send(*said):
        sent.append(said)
        return Answer(200, {"content-type": "application/json", "etag": '"7"'}, FLIGHT)

    change = Call("bags", "PATCH", "/flights/{id}/", "/flights/{id}/", 200, None, {"bags": 3}, True)
    assert [found for _, found in replay([CALL, change], contract("2025"), send)] == ["", ""]

    assert sent[1] == ("PATCH", "/flights/1/", {"If-Match": '"7"'}, {"bags": 3})
