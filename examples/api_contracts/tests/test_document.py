"""A contract as others write it: what stands once for a path, behind a reference, for a kind of status."""

import pytest
from contract import strict
from contract.document import Contract
from contract.strict import Refused

SEAT = {
    "type": "object",
    "properties": {
        "beside": {"$ref": "#/components/schemas/Seat"},
        "group": {"allOf": [{"$ref": "#/components/schemas/Group"}]},
    },
}
GROUP = {
    "properties": {
        "seats": {"type": "array", "items": {"$ref": "#/components/schemas/Seat"}},
        "leader": {"type": "string", "deprecated": True},
    }
}
JSON = "application/json"


def operation(said, shared=(), **components):
    item = {"summary": "Seats", "servers": [], "parameters": [*shared], "get": said}
    return Contract({"paths": {"/seats/": item}, "components": components}).operations[
        "GET", "/seats/"
    ]


def parameter(name, kind, **more):
    return {"name": name, "in": "query", "schema": {"type": kind}, **more}


def query(asked, **given):
    return strict.query(asked, {name: texts.split() for name, texts in given.items()})


def faults(asked, **given):
    with pytest.raises(Refused) as refused:
        query(asked, **given)
    return [(each.name, each.says) for each in refused.value.faults]


@pytest.mark.report(
    "cdimascio/express-openapi-validator#37",
    "`parameters` of a path is taken for one of its methods, and what it asks for is not read",
    "they are those of each method, which may have one of the same name instead",
)
def test_parameters_of_a_path_are_those_of_its_methods():
    shared = [parameter("row", "integer"), parameter("side", "string")]
    asked = operation({"parameters": [parameter("row", "string")], "responses": {}}, shared)

    assert query(asked, row="1", side="left") == {"row": "1", "side": "left"}


@pytest.mark.report(
    "schemathesis/schemathesis#612",
    "a parameter that is a reference has no `in`: KeyError",
    "references are followed: of parameters, their schemas, bodies and answers",
)
def test_references_are_followed_wherever_they_stand():
    asked = operation(
        {
            "parameters": [{"$ref": "#/components/parameters/Row"}],
            "requestBody": {"$ref": "#/components/requestBodies/Seat"},
            "responses": {"200": {"$ref": "#/components/responses/Seat"}},
        },
        parameters={"Row": parameter("row", "") | {"schema": {"$ref": "#/components/schemas/Row"}}},
        requestBodies={"Seat": {"content": {JSON: {"schema": {"required": ["seat"]}}}}},
        responses={"Seat": {"content": {JSON: {"schema": {"type": "integer"}}}}},
        schemas={"Row": {"$ref": "#/components/schemas/Whole"}, "Whole": {"type": "integer"}},
    )

    assert query(asked, row="7") == {"row": 7}
    assert asked.promised(200, JSON).is_valid(7)
    assert not asked.promised(200, JSON).is_valid("7")
    with pytest.raises(Refused, match="'seat' is a required property"):
        strict.body(asked, b"{}")


@pytest.mark.report(
    "openapi-generators/openapi-python-client#124",
    "the answer `default` is no number: ValueError",
    "it is the answer of each status that has none, after its kind (`4XX`)",
)
def test_answer_of_a_status_is_its_own_or_that_of_its_kind_or_the_default():
    answers = {
        status: {"content": {JSON: {"schema": {"const": status}}}}
        for status in ("200", "4XX", "default")
    }
    asked = operation({"responses": {**answers, "204": {"description": "nothing"}}})

    for status, written in ((200, "200"), (404, "4XX"), (201, "default"), (503, "default")):
        assert asked.promised(status, JSON).is_valid(written)
        assert not asked.promised(status, JSON).is_valid("another")
    assert asked.promised(204, JSON) is None
    assert asked.promised(200, "text/csv") is None


@pytest.mark.report(
    "python-openapi/openapi-core#31",
    "a schema that leads to itself is a RecursionError before the first request",
    "it is read once, and what is deprecated in it is found, also behind `allOf`",
)
def test_schema_that_leads_to_itself_is_read_once():
    schema = {"$ref": "#/components/schemas/Seat"}
    asked = operation(
        {"responses": {"200": {"content": {JSON: {"schema": schema}}}}},
        schemas={"Seat": SEAT, "Group": GROUP},
    )

    assert asked.deprecated.keys() == {"leader"}
    assert asked.promised(200, JSON).is_valid({"beside": {"beside": {"group": {"leader": "A"}}}})


@pytest.mark.report(
    "krakenjs/hapi-openapi#17",
    "a parameter that the contract requires may be left out",
    "400, with its name",
)
def test_parameter_that_is_required_has_to_be_there():
    asked = operation({"parameters": [parameter("row", "integer", required=True)], "responses": {}})

    assert faults(asked) == [("", "'row' is a required property")]


@pytest.mark.report(
    "networknt/light-rest-4j#57",
    "a boolean in a query is text: every request that has one is refused",
    "text has the type of its schema: booleans, numbers, and lists, too",
)
def test_text_of_a_query_has_the_type_of_its_schema():
    rows = parameter("rows", "array") | {"schema": {"type": "array", "items": {"type": "integer"}}}
    asked = operation(
        {
            "parameters": [rows, parameter("window", "boolean"), parameter("pitch", "number")],
            "responses": {},
        }
    )

    assert query(asked, rows="1 2", window="false", pitch="8.15e1") == {
        "rows": [1, 2],
        "window": False,
        "pitch": 81.5,
    }
    assert query(asked, rows="1") == {"rows": [1]}
    for given in ({"window": "1"}, {"window": "True"}, {"pitch": "nan"}, {"pitch": "1e999"}):
        assert [name for name, _ in faults(asked, **given)] == [*given]
    assert [name for name, _ in faults(asked, rows="1 x")] == ["rows.1"]
    assert faults(asked, window="true true") == [("window", "is given more than once")]
