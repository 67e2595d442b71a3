"""A change is made if its row is still as it was read, and the database decides that."""

import pytest
from contract import preconditions
from contract.preconditions import Malformed, Missing, Stale
from flights.models import Flight

pytestmark = pytest.mark.django_db


@pytest.fixture
def flight():
    return Flight.objects.get(pk=1)


def rows():
    return Flight.objects.filter(pk=1)


@pytest.mark.report(
    "SciCatProject/backend#2684",
    "the precondition is checked before the update: between the two another one is lost",
    "the version is part of the UPDATE",
)
def test_of_two_who_read_the_same_the_second_is_told(flight):
    preconditions.change(rows(), frozenset({flight.version}), bags=1)

    with pytest.raises(Stale):
        preconditions.change(rows(), frozenset({flight.version}), bags=2)
    assert (Flight.objects.get(pk=1).bags, Flight.objects.get(pk=1).version) == (1, 2)


@pytest.mark.report(
    "encode/django-rest-framework#4675",
    "view and serializer read, change and save: the last writer wins",
    "one statement, which asks for the version that was read",
)
def test_change_is_one_statement_that_asks_for_the_version(django_assert_num_queries):
    with django_assert_num_queries(1) as seen:
        preconditions.change(rows(), frozenset({1}), bags=3)

    (statement,) = seen.captured_queries
    assert '"version" IN (1)' in statement["sql"]


def test_no_other_row_is_changed():
    preconditions.change(rows(), frozenset({1}), bags=3)

    assert Flight.objects.filter(version=2).count() == 1


@pytest.mark.parametrize("header", [None, "", "*", " * "])
def test_change_without_a_version_is_refused(header):
    with pytest.raises(Missing):
        preconditions.versions(header)


@pytest.mark.parametrize(
    "header",
    ["1", '"1', "W/1", '"1" "2"', 'w/"1"', '"a\nb"', ";", ",", '*, "1"', '"1",2', 'W/ "1"'],
)
def test_header_that_is_no_list_of_tags_is_refused(header):
    with pytest.raises(Malformed):
        preconditions.versions(header)


@pytest.mark.report(
    "nginx/nginx#716",
    "a weak tag passes If-Match: it says that two answers are alike, not that they are one",
    "a weak tag names no version",
)
@pytest.mark.parametrize(
    "header",
    [
        'W/"1"',
        'W/"1", W/"2"',
        '"one"',
        '"9999999999999999999999"',
        '"*"',
        '"1;gzip"',
        '"\xe9"',
        '"a,1,b"',
    ],
)
def test_tag_that_names_no_version_matches_nothing(header):
    assert preconditions.versions(header) == frozenset()
    with pytest.raises(Stale):
        preconditions.change(rows(), preconditions.versions(header), bags=1)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('"1"', {1}),
        (' "1" , "22"', {1, 22}),
        ('W/"1", "2", "x",', {2}),
        ('"a,b","3"', {3}),
        ('"1","x"\t,\t"2"', {1, 2}),
    ],
)
def test_versions_are_those_of_strong_tags(header, found):
    assert preconditions.versions(header) == found


@pytest.mark.report(
    "flyology-ada/flyology-object-storage#15",
    "an If-Match with an empty element, as proxies write that merge lines, is answered 400",
    "empty elements are passed over (RFC 9110, 5.6.1.2)",
)
@pytest.mark.parametrize("header", [', "1"', '"x",, "1"', '"1",', '"1" , , ', ',,\t,"1"'])
def test_empty_elements_of_the_list_are_passed_over(header):
    assert preconditions.versions(header) == {1}


@pytest.mark.report(
    "Kinto/kinto.js#356",
    "an entity tag is read as a number, though it is opaque: others mean the same",
    "only a tag that `tag` has written is one",
)
@pytest.mark.parametrize("header", ['"01"', '"0"', '"+1"', '" 1"', '"1.0"', '"\u0661"'])
def test_number_that_is_written_otherwise_is_another_tag(header):
    try:
        assert preconditions.versions(header) == frozenset()
    except Malformed:
        assert not header.isascii() or " " in header


def test_long_header_is_read_in_one_pass():
    many = ",".join(['"a" ,, ,'] * 5_000)

    assert preconditions.versions(f'{many}"1"') == {1}
    with pytest.raises(Malformed):
        preconditions.versions(f"{many}x")


def test_tag_that_is_written_is_read():
    assert preconditions.versions(preconditions.tag(7)) == {7}
