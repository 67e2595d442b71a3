"""The service as its clients meet it: what is refused, in which shape, and who may read what."""

import json

import pytest
from django.core import signing
from django.test import Client
from flights.bookings import sign_in
from flights.models import Booking, Flight, Passenger
from flights.permissions import SALT, is_staff, passenger_of, token_of
from flights.root import key_of
from flights.variants import VARIANTS
from graphql import build_schema
from pricing.guard import guard


@pytest.mark.parametrize(
    "body",
    [
        " ",
        "{",
        "null",
        '"{flights{id}}"',
        '{"query": null}',
        '{"query": ["{flights{id}}"]}',
        '{"query": "{flights{id}}", "variables": [1]}',
        '{"query": "{flights{id}}", "operationName": ["A"]}',
        '[{"query": "{flights{id}}"}, {"query": "{flights{id}}"}]',
        '{"query": "{flights{id}} {flights{id}}"}',
        '{"query": "query A{flights{id}}", "operationName": "B"}',
        '{"query": "query A{flights{id}}", "operationName": ""}',
        '{"query": "query A{flights{id}} query A{me{id}}", "operationName": "A"}',
        '{"query": "fragment A on Flight{id}"}',
        '{"query": "{flights{"}',
        '{"query": "{flights{nothing}}"}',
        '{"query": "query($n: Int){flights(first: $n){id}}", "variables": {"n": "many"}}',
        '{"query": "subscription{flights{id}}"}',
        b"\xff\xfe",
        "[" * 100_000,
        '{"query": "' + " " * 3 * 2**20 + '"}',
        '{"query": "{flights(first: ' + "[" * 480 + "]" * 480 + '){id}}"}',
        '{"query": "{flights(first: ' + "9" * 5000 + '){id}}"}',
        '{"query": "query($n: Int){flights(first: $n){id}}", "variables": {"n": NaN}}',
        '{"query": "query($n: Int){flights(first: $n){id}}", "variables": {"n": 1e400}}',
        '{"query": "query($n: Int){flights(first: $n){id}}", "variables": {"n": '
        + "9" * 5000
        + "}}",
        '{"query": "{flights(first: 1){id @inclde(if: true)}}"}',
        '{"query": "{flights(first: 1) @stream{id}}"}',
        '{"query": "{flights(first: 1){\u00e9: id}}"}',
        '{"query": "{flights(first: 1){a\\ud83d: id}}"}',
        '{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0"}}}',
        '{"query": "query($n: [' + "[" * 400 + "Int" + "]" * 400 + ']){flights{id}}"}',
        '{"query": "{' + "...{" * 300 + "flights{id}" + "}" * 300 + '}"}',
        '{"query": "{...@defer{flights(first: 1){id}}}"}',
        '{"query": "extend type Query{a: Int}"}',
    ],
    ids=range(35),
)
def test_what_is_no_query_is_told_in_one_shape(site, body):
    answer = site.post(body)

    assert answer.status_code == 400, answer.content
    errors = answer.json()["errors"]
    assert "data" not in answer.json()
    assert all(each["extensions"]["code"].startswith("BAD_") for each in errors)
    assert all(each["message"] for each in errors)


@pytest.mark.report(
    "graphql-python/graphql-core#216",
    "a query nested some 200 levels deep ends in the recursion limit of Python",
    "a 400 in the shape of all others",
)
@pytest.mark.parametrize("levels", [100, 240, 400])
def test_query_of_many_levels_is_refused(site, levels):
    status, said = site.ask(
        "{flights" + "{origin{departures" * levels + "{id}" + "}}" * levels + "}"
    )

    assert status == 400
    assert said["errors"][0]["extensions"]["code"] in ("TOO_DEAR", "BAD_QUERY")
    assert "recursion" not in json.dumps(said)


def test_document_of_many_words_is_refused_while_it_is_read(site):
    status, said = site.ask("{" + "flights{id} " * 400 + "}")

    assert status == 400
    assert "1000 tokens" in said["errors"][0]["message"]


@pytest.mark.report(
    "strawberry-graphql/strawberry#3916",
    "of several operations the first runs where `operationName` is missing",
    "400: nobody has said which of them",
)
@pytest.mark.parametrize("name", [None, "", "C"])
def test_one_of_several_operations_is_asked_for_by_its_name(site, name):
    both = "query A{a: me{name}} query B{b: me{name}}"

    assert site.ask(both, operationName=name)[0] == 400
    assert site.data(both, operationName="B") == {"b": None}


@pytest.mark.report(
    "Netflix/dgs-framework#1073",
    "a body called text/plain, or nothing, is read as JSON: any page sends it from a visitor's browser",
    "415: a browser asks first, before it sends application/json elsewhere",
)
@pytest.mark.parametrize(
    "media",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_body_that_any_page_can_send_is_refused(site, media):
    answer = site.post(b'{"query": "{me{name}}"}', media=media)

    assert answer.status_code == 415
    assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.report(
    "ballerina-platform/ballerina-library#5945",
    "`application/json;charset=UTF-8` is another type than `application/json`: refused",
    "the type is compared without its parameters",
)
@pytest.mark.parametrize("media", ["application/json;charset=UTF-8", "Application/JSON"])
def test_type_of_the_body_may_have_parameters(site, media):
    assert site.post(b'{"query": "{me{name}}"}', media=media).status_code == 200


@pytest.mark.report(
    "microsoft/cppgraphqlgen#304",
    "a byte order mark between two words of a document is a syntax error",
    "it is ignored wherever it stands, as the specification has it",
)
def test_byte_order_mark_is_ignored(site):
    assert site.data("\ufeff{\ufeffme{name}}") == {"me": None}
    assert site.post(b'\xef\xbb\xbf{"query": "{me{name}}"}').status_code == 200


@pytest.mark.report(
    "absinthe-graphql/absinthe#826",
    "a small document makes an answer many times its size out of errors that repeat it",
    "a name has 100 letters at most, and a message 300 characters",
)
def test_errors_are_not_much_larger_than_what_they_complain_of(site):
    variables = ",".join(f"$a{n}: Int" for n in range(99))
    for query in (
        f"query {'L' * 20_000}({variables}){{me{{name}}}}",  # unused in operation 'LLL...': 2 MB
        f"{{{'L' * 20_000}}}",
        f'{{flights(first: "{"x" * 100_000}"){{id}}}}',
        "{flights(first: 1){" + "a: number a: origin{code} " * 60 + "}}",
    ):
        answer = site.post(json.dumps({"query": query}))

        assert answer.status_code == 400
        assert len(answer.content) < 40_000


@pytest.mark.report(
    "4Catalyzer/graphql-validation-complexity#5",
    "a field that is called free may make an answer of gigabytes",
    "each value has its price, and its name an end: 500 rows repeat an alias 500 times",
)
def test_long_alias_is_refused_and_the_longest_is_answered(site):
    def asked(letters):
        return site.post(json.dumps({"query": f"{{flights(first: 500){{{'L' * letters}: id}}}}"}))

    assert asked(20_000).status_code == 400  # with this it was 10 MB, at a price of 1,001
    assert asked(101).status_code == 400
    assert asked(100).status_code == 200


@pytest.mark.report(
    "project-koku/koku#228",
    "a POST without the last slash is redirected, and comes back without its body",
    "404: a client that is sent elsewhere comes with GET",
)
@pytest.mark.parametrize("method", ["post", "get"])
def test_address_without_its_slash_is_no_other_address(method):
    assert getattr(Client(), method)("/api/priced").status_code == 404


@pytest.mark.report(
    "modelcontextprotocol/python-sdk#3182",
    "Python reads a JSON body in UTF-16, too: who has looked at it as UTF-8 has seen something else",
    "a body is UTF-8",
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_body_in_another_encoding_is_refused(site, encoding):
    assert site.post('{"query": "{me{name}}"}'.encode(encoding)).status_code == 400


@pytest.mark.report(
    "mrwogu/factory-droid-openai#39",
    "of two members with one name the last is taken: whoever looked at the first has checked another request",
    "400, also among the variables",
)
@pytest.mark.parametrize(
    "body",
    [
        '{"query": "{me{id}}", "query": "{me{name}}"}',
        '{"query": "query($n: Int){flights(first: $n){id}}", "variables": {"n": 1, "n": 500}}',
    ],
)
def test_member_given_twice_is_refused(site, body):
    assert site.post(body).status_code == 400


@pytest.mark.report(
    "smallrye/smallrye-graphql#2081",
    "`data` is null where nothing was executed, as if a field had failed",
    "`data` is there as soon as a field was asked for, and the status says whose mistake it is",
)
def test_data_is_null_only_where_a_field_has_failed(site, monkeypatch):
    assert "data" not in site.ask("query($n: Int!){flights(first: $n){id}}")[1]
    monkeypatch.setattr(Flight.objects, "all", lambda: 1 / 0)

    status, said = site.ask("{flights{id}}")

    assert (status, said["data"], said["errors"][0]["path"]) == (200, None, ["flights"])


@pytest.mark.report(
    "divviup/janus#3107",
    "the scheme of `Authorization` has to be spelt `Bearer`, though its case says nothing",
    "`bearer` is read, too, and more than one space after it",
)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_case_of_the_scheme_says_nothing(scheme):
    assert passenger_of({"Authorization": f"{scheme} {token_of(1)}"}) == 1
    assert passenger_of({"Authorization": f"{scheme}{token_of(1).upper()}"}) is None


@pytest.mark.report(
    "rmosolgo/graphql-ruby#4600",
    "a mutation answers with a row that was loaded before it, and shows it unchanged",
    "what was loaded is forgotten with each change",
)
def test_second_change_of_a_document_shows_what_it_has_changed(site):
    def change(seat):
        return f'changeSeat(booking: "Booking:51", seat: "{seat}"){{flight{{bookings{{seat}}}}}}'

    _, said = site.ask(f"mutation{{a: {change('9J')} b: {change('9K')}}}", token_of(1))

    seats = [{each["seat"] for each in said["data"][name]["flight"]["bookings"]} for name in "ab"]
    assert seats == [{"9J", None}, {"9K", None}]


@pytest.mark.report(
    "apollographql/router#6187",
    "a query of some dozen kB is answered with tens of thousands of errors, and megabytes of them",
    "a hundred errors are told, and how many there are besides",
)
def test_errors_of_fields_are_told_up_to_a_hundred(site):
    def long(name, inner):
        return f"{name[0] * 100}: {name}{inner}"

    seats = "{" + " ".join(f"{letter * 100}: seat" for letter in "abcdef") + "}"
    inner = long("departures(first: 500)", "{" + long("bookings(first: 2)", seats) + "}")
    for _ in range(40):
        inner = long("departures(first: 1)", "{" + long("origin", "{" + inner + "}") + "}")
    query = "{" + long("airports(first: 1)", "{" + inner + "}") + "}"

    answer = site.post(json.dumps({"query": query}))

    *errors, last = answer.json()["errors"]
    assert (answer.status_code, len(errors)) == (200, 100)
    assert last["extensions"] == {"code": "MORE"}
    assert int(last["message"].split()[0]) > 500
    assert len(answer.content) < 1_500_000  # all of them were ten times as much


def test_get_is_refused():
    assert Client().get("/api/priced/?query={flights{id}}").status_code == 405
    assert (
        Client().get("/api/priced/?query=mutation{signIn(name:1,reference:1)}").status_code == 405
    )


@pytest.mark.parametrize(
    "query",
    [
        "{__schema{types{name}}}",
        '{__type(name: "Flight"){name}}',
        "{a: __schema{b: types{name}}}",
        "{...A} fragment A on Query{__schema{types{name}}}",
    ],
)
def test_schema_is_told_to_nobody(site, query):
    assert site.ask(query)[0] == 400


def test_answer_tells_its_price(site):
    _, said = site.ask("{flights(first: 2){number}}")

    assert said["extensions"] == {"price": 1 + 2 * 2}


def test_list_of_which_no_number_is_said_has_the_rows_of_the_schema(site):
    _, said = site.ask("{airports(first: 1){departures{id}}}")

    (airport,) = said["data"]["airports"]
    assert len(airport["departures"]) == 20
    assert said["extensions"] == {"price": 1 + (1 + 1 + 20 * 2)}


def test_statements_are_those_of_the_levels(site):
    relations = "origin{code} destination{code} airline{name} bookings{seat}"

    assert site.statements(f"{{flights(first: 3){{{relations}}}}}") == 'desc="4"'


@pytest.mark.report(
    "strawberry-graphql/strawberry-django#695",
    "two aliases of one list with different filters: both are answered with the rows of one",
    "the arguments are part of the key: each alias has its own rows",
)
def test_aliases_of_one_list_have_their_own_rows(site):
    query = "{airports(first: 1){a: departures(first: 1){id} b: departures(first: 3){id}}}"

    (airport,) = site.data(query)["airports"]

    assert [len(airport[name]) for name in "ab"] == [1, 3]
    assert airport["a"][0] == airport["b"][0]


def test_passenger_signs_in_and_changes_a_seat_of_their_own(site):
    booking = Booking.objects.get(pk=51)  # of passenger 1
    query = "mutation($n: String!, $r: String!){signIn(name: $n, reference: $r)}"
    variables = {"n": booking.passenger.name, "r": booking.reference}
    token = site.data(query, variables=variables)["signIn"]

    seat = 'mutation{changeSeat(booking: "Booking:51", seat: "9K"){seat passenger{name}}}'

    person = {"name": booking.passenger.name}
    assert site.data(seat, token)["changeSeat"] == {"seat": "9K", "passenger": person}


@pytest.mark.parametrize("name", ["Passenger 1", "Passenger 2", ""])
def test_who_does_not_know_the_reference_does_not_sign_in(site, name):  # noqa: ARG001 -- sets up
    assert sign_in(name, "000000") is None


def test_seat_of_somebody_else_stays(site):
    seat = 'mutation{changeSeat(booking: "Booking:2", seat: "9K"){id}}'

    assert site.data(seat, token_of(1)) == {"changeSeat": None}
    assert Booking.objects.get(pk=2).seat != "9K"


@pytest.mark.parametrize(
    "token", ["", "x", "1", signing.dumps(1), signing.dumps(1, salt=SALT)[:-1]]
)
def test_token_that_is_none_is_nobody(site, token):
    assert site.data("{me{name}}", token) == {"me": None}


def test_fields_of_others_are_null_and_the_rest_is_told(site):
    _, said = site.ask("{flights(first: 1){number bookings{seat}}}", token_of(1))

    (flight,) = said["data"]["flights"]
    assert sorted(flight["bookings"], key=str) == [{"seat": "2B"}, {"seat": None}]
    assert [each["extensions"] for each in said["errors"]] == [{"code": "FORBIDDEN"}]


def test_guard_of_a_type_without_fields_is_refused():
    schema = build_schema("type Query{a: A} union A = Query")

    with pytest.raises(TypeError, match="A has no fields to guard"):
        guard(schema, "A", lambda *_: True)


def test_fault_is_told_by_its_number_alone(site, monkeypatch, caplog):
    monkeypatch.setattr(Passenger.objects, "in_bulk", lambda _keys: 1 / 0)
    _, said = site.ask("{me{name}}", token_of(1))

    (error,) = said["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["message"] == "Something went wrong."
    assert error["extensions"]["fault"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_seat_that_is_taken_is_a_conflict(site):
    seat = 'mutation{changeSeat(booking: "Booking:1", seat: "2A"){seat}}'

    _, said = site.ask(seat, token_of(1))

    assert said["errors"][0]["extensions"]["code"] == "CONFLICT"


@pytest.mark.parametrize("node", ["", "Booking", "Booking:", "Booking:x", "Flight:1", "booking:1"])
def test_id_of_another_kind_is_none(node):
    with pytest.raises(ValueError, match="is no id of a Booking"):
        key_of(node, "Booking")


@pytest.mark.report(
    "closeio/sync-engine#184",
    "int() reads `8_000`: an id that nobody was given means another row",
    "an id has digits, as it was written; spaces and other scripts are none, either",
)
@pytest.mark.parametrize(
    "key", [" 1", "1_0", "+1", "-1", "01", "\u0663", "1\n", "9" * 19, "9" * 5000]
)
def test_key_that_was_never_written_is_none(key):
    with pytest.raises(ValueError, match="is no id of a Flight"):
        key_of(f"Flight:{key}", "Flight")


@pytest.mark.report(
    "strawberry-graphql/strawberry-django#629",
    "ids that are made up end in errors that tell how ids are read and what they are of",
    "one code, and a number for the log",
)
@pytest.mark.parametrize("node", ["Airline:AA", "Flight:\x00", "Flight:\ud83d", "::", "1"])
def test_id_that_is_made_up_is_told_by_its_code(site, node):
    query = "query($id: ID!){node(id: $id){id}}"

    status, said = site.ask(query, variables={"id": node})

    assert (status, said["data"]) == (200, {"node": None})
    assert said["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert said["errors"][0]["message"] == "A value cannot be read."


@pytest.mark.report(
    "Stranger6667/hypothesis-graphql#31",
    "half of a surrogate pair is no text that can be sent on",
    "it is refused as a value that cannot be read, where it would reach the database",
)
def test_half_of_a_character_is_told_by_its_code(site):
    query = 'mutation($n: String!){signIn(name: $n, reference: "B")}'

    _, said = site.ask(query, variables={"n": "\ud83d"})

    assert said["data"] == {"signIn": None}
    assert said["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: each.name)
def test_every_variant_answers(site, variant):
    query = f"{{flights({variant.page % 2}){{number origin{{code}}}}}}"
    flights = [
        {"number": 1545, "origin": {"code": "EWR"}},
        {"number": 1714, "origin": {"code": "LGA"}},
    ]

    assert site.ask(query, variant=variant.name)[1]["data"] == {"flights": flights}


def test_answer_may_hold_what_is_allowed_and_no_value_more(site):
    def asked(scalars):
        fields = " ".join(f"a{n}: number" for n in range(scalars))
        return site.ask(
            f"{{flights(first: 500){{{fields}}} airports(first: 0){{code}} me{{name}} x: me{{name}}}}"
        )

    status, said = asked(18)  # 9,501 values of flights, and 5 of the others
    assert (status, said["extensions"]) == (200, {"price": 9_506})
    status, said = asked(19)
    assert (status, said["errors"][0]["extensions"]["price"]) == (400, 10_006)


@pytest.mark.parametrize(
    "query",
    ["{flight{id}}", "{flights(frist: 1){id}}", "{... on Flihgt{id}}", "{flights{origi{code}}}"],
)
def test_misspelling_is_told_without_a_suggestion(site, query):
    status, said = site.ask(query)

    assert status == 400
    assert "Did you mean" not in json.dumps(said)


@pytest.mark.parametrize("token", ["", " ", "token-of-the-tests"])
def test_nobody_is_staff_where_no_token_is_set(site, settings, token):
    settings.STAFF_TOKEN = ""

    assert not site.post('{"query": "{flights{id}}"}', token).has_header("Server-Timing")
    assert not is_staff({"Authorization": "Bearer "})


def test_cost_is_told_to_staff_alone(site):
    query = '{"query": "{flights{id}}"}'

    assert 'statements;desc="1"' in site.post(query, site.STAFF)["Server-Timing"]
    assert not site.post(query).has_header("Server-Timing")
    assert not site.post(query, "x").has_header("Server-Timing")
