"""The contract: one OpenAPI document, and what it says of each operation.

OpenAPI 3.1.1 (spec.openapis.org/oas/v3.1.1), whose schemas are JSON Schema 2020-12.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend


def whole(_: Any, pattern: str, text: Any, __: Any) -> Iterator[ValidationError]:
    """Read `$` as JSON Schema does: in Python it also stands before a last line break."""
    if isinstance(text, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        yield ValidationError(f"does not match {pattern}")


CHECKED: Any = extend(Draft202012Validator, {"pattern": whole})  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Operation:
    """What the contract says of one method of one path.

    Attributes:
        query: all parameters as one object: what validates it, and its schema.
        body: None, if there is none.
        answers: status and media type -> what validates the body.
        deprecated: what of its answers will go, by name.
    """

    query: Validator
    body: Validator | None
    answers: Mapping[tuple[int, str], Validator]
    deprecated: Mapping[str, Mapping[str, Any]]


class Contract:
    """One release of an API.

    Args:
        document: the OpenAPI document.

    Attributes:
        operations: method and path (`GET`, `/flights/{id}/`) -> operation.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations: Mapping[tuple[str, str], Operation] = {
            (method.upper(), path): self._operation(said)
            for path, methods in document["paths"].items()
            for method, said in methods.items()
        }

    def _operation(self, said: Mapping[str, Any]) -> Operation:
        parameters = [each for each in said.get("parameters", ()) if each["in"] == "query"]
        query = {each["name"]: each["schema"] for each in parameters}
        body = said["requestBody"]["content"]["application/json"] if "requestBody" in said else None
        answers = {
            (int(status), media): content["schema"]
            for status, answer in said["responses"].items()
            for media, content in answer.get("content", {}).items()
        }
        return Operation(
            self._validator({"properties": query, "additionalProperties": False}),
            self._validator(body["schema"]) if body else None,
            {answer: self._validator(schema) for answer, schema in answers.items()},
            {name: goes for schema in answers.values() for name, goes in self._deprecated(schema)},
        )

    def _validator(self, schema: Mapping[str, Any]) -> Validator:
        # With the components beside it, so that `#/components/schemas/Flight` leads there.
        alone = {**schema, "components": self.document.get("components", {})}
        made: Validator = CHECKED(alone, format_checker=FormatChecker())
        return made

    def _deprecated(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for name, said in schema.get("properties", {}).items():
            if said.get("deprecated"):
                yield name, said
            yield from self._deprecated(said)
        if "items" in schema:
            yield from self._deprecated(schema["items"])
