"""A request is read by the contract, and what the contract does not have is refused by name."""

import json

import pytest
from contract import strict
from contract.document import Contract
from contract.strict import Refused

BODY = {
    "type": "object",
    "required": ["seat"],
    "properties": {
        "seat": {"type": "string", "pattern": "^[1-9][A-F]$"},
        "bags": {"type": "integer"},
        "name": {"type": "string"},
        "born": {"type": "string", "format": "date"},
    },
    "additionalProperties": False,
}
NO_DAY = {"seat": "1A", "born": "1815-02-30"}
NO_JSON = [("", "is no JSON in UTF-8")]
PARAMETERS = {
    "origin": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "number": {"type": "integer", "minimum": 1},
    "day": {"type": "string", "format": "date"},
    "page": {"type": "integer", "default": 1},
}


@pytest.fixture(scope="module")
def operation():
    said = {
        "parameters": [
            {"name": name, "in": "query", "schema": schema} for name, schema in PARAMETERS.items()
        ],
        "requestBody": {"content": {"application/json": {"schema": BODY}}},
        "responses": {},
    }
    return Contract({"paths": {"/seats/": {"post": said}}}).operations["POST", "/seats/"]


def faults(read, operation, given):
    with pytest.raises(Refused) as refused:
        read(operation, given)
    return [(each.name, each.says) for each in refused.value.faults]


def sent(operation, said):
    return faults(strict.body, operation, json.dumps(said).encode())


@pytest.mark.report(
    "carltongibson/django-filter#1740",
    "a filter that there is not is ignored: the client believes all rows",
    "400, with the nearest name",
)
@pytest.mark.parametrize("name", ["orgin", "Origin", "origin[]", "origins"])
def test_parameter_that_there_is_not_is_refused_with_the_nearest(operation, name):
    assert faults(strict.query, operation, {name: ["JFK"]}) == [
        (name, "is unknown; did you mean origin?")
    ]


def test_name_that_is_like_none_is_refused_without_a_guess(operation):
    assert faults(strict.query, operation, {"utm_source": ["x"]}) == [("utm_source", "is unknown")]


@pytest.mark.report(
    "JSONbored/metagraphed#9149",
    "of two filters the misspelt one is dropped: the answer looks filtered, and is not",
    "one name that is unknown refuses the whole request",
)
def test_one_wrong_name_beside_a_right_one_is_refused(operation):
    assert faults(strict.query, operation, {"origin": ["JFK"], "nmber": ["1"]}) == [
        ("nmber", "is unknown; did you mean number?")
    ]


def test_parameter_given_twice_is_refused(operation):
    assert faults(strict.query, operation, {"origin": ["JFK", "LGA"]}) == [
        ("origin", "is given more than once")
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("number", "abc"),
        ("number", ""),
        ("number", "0"),
        ("number", "1_000"),  # int() reads these four
        ("number", " 7"),
        ("number", "+7"),
        ("number", "\u0661"),
        ("number", "1.0"),
        ("origin", "\0"),
        ("origin", "jfk"),
        ("day", "tomorrow"),
        ("day", "2013-02-30"),
        ("day", "20130101"),
    ],
)
def test_value_that_is_not_as_written_is_refused(operation, name, text):
    assert [fault for fault, _ in faults(strict.query, operation, {name: [text]})] == [name]


def test_values_get_their_types_and_defaults(operation):
    given = {"origin": ["JFK"], "number": ["1141"], "day": ["2013-01-31"]}

    assert strict.query(operation, given) == {
        "origin": "JFK",
        "number": 1141,
        "day": "2013-01-31",
        "page": 1,
    }


@pytest.mark.report(
    "python-jsonschema/jsonschema#576",
    "`$` of a pattern stands before a last line break, too: `badstring\\n` is valid",
    "`$` is the end of the text, as in JSON Schema",
)
@pytest.mark.parametrize("seat", ["1A\n", "1A ", "11A", "1a"])
def test_pattern_means_the_whole_text(operation, seat):
    assert [name for name, _ in sent(operation, {"seat": seat})] == ["seat"]


def test_member_that_there_is_not_is_refused_with_the_nearest(operation):
    assert sent(operation, {"seat": "1A", "bag": 2, "row": 1}) == [
        ("bag", "is unknown; did you mean bags?"),
        ("row", "is unknown"),
    ]


@pytest.mark.parametrize(
    "body", [{}, [], None, "1A", 1, {"seat": 1}, {"seat": "1A", "bags": True}, NO_DAY]
)
def test_body_that_is_not_as_written_is_refused(operation, body):
    assert sent(operation, body)


@pytest.mark.report(
    "schemathesis/schemathesis#1786",
    "a message shows what was sent as Python writes it: `None` and `True`, which no client has sent",
    "it shows JSON",
)
@pytest.mark.parametrize(
    ("value", "shown"), [(None, "null"), (True, "true"), ([None], "[null]"), ('"', '"\\""')]
)
def test_message_shows_what_was_sent_as_it_was_sent(operation, value, shown):
    said = {"seat": "1A", "bags": value}

    assert sent(operation, said) == [("bags", f"{shown} is not of type 'integer'")]


@pytest.mark.report(
    "encode/django-rest-framework#7026",
    "half of a surrogate pair passes the parser, and is a 500 at the database",
    "400: such a text cannot be written as UTF-8",
)
def test_half_of_a_character_is_refused(operation):
    assert sent(operation, {"seat": "1A", "name": "\ud83d"}) == NO_JSON


@pytest.mark.report(
    "mrwogu/factory-droid-openai#39",
    "of two members with one name the last is taken: whoever looked at the first has checked another request",
    "400, with the name, however deep it stands",
)
@pytest.mark.parametrize(
    "body", [b'{"seat": "9Z", "seat": "1A"}', b'{"seat": [{"seat": 1, "seat": 1}]}']
)
def test_member_given_twice_is_refused(operation, body):
    assert faults(strict.body, operation, body) == [("seat", "is given more than once")]


@pytest.mark.report(
    "Liquid4All/ifstruct#3",
    "a number of more than 4,300 digits is no JSONDecodeError: it goes past who expects one",
    "400, as for all that is no JSON",
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"seat": "1A"}x',
        b'{"seat": "\xff"}',
        b'{"seat": "1A", "bags": ' + b"9" * 5000 + b"}",
        b'{"seat": "1A", "bags": NaN}',
        b'{"seat": "1A", "bags": Infinity}',
        b'{"seat": "1A", "bags": 1e400}',
        '{"seat": "1A"}'.encode("utf-16"),
        b"\xef\xbb\xbf" + b'{"seat": "1A"}',
    ],
    ids=range(11),
)
def test_body_that_is_no_json_is_refused(operation, body):
    assert faults(strict.body, operation, body) == NO_JSON


def test_faults_are_few_and_short_whatever_was_sent(operation):
    ((_, says),) = sent(operation, {"seat": "1A", "bags": "1" * 100_000})
    assert len(says) == 200

    ((name, _),) = faults(strict.query, operation, {"x" * 100_000: ["1"]})
    assert len(name) == 200

    many = {f"row{n}": n for n in range(1000)}
    assert len(sent(operation, {"seat": "1A", **many})) == 20


@pytest.mark.parametrize("bags", ["2", "2.0", "2e0"])
def test_body_as_written_is_taken(operation, bags):
    said = f'{{"seat": "1A", "bags": {bags}, "name": "Zo\u00eb"}}'

    assert strict.body(operation, said.encode()) == {"seat": "1A", "bags": 2, "name": "Zo\u00eb"}
