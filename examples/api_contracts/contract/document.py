"""The contract: one OpenAPI document, and what it says of each operation.

OpenAPI 3.1.1 (spec.openapis.org/oas/v3.1.1), whose schemas are JSON Schema 2020-12.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

BASE = "urn:contract"


def whole(_: Any, pattern: str, text: Any, __: Any) -> Iterator[ValidationError]:
    """Read `$` as JSON Schema does: in Python it also stands before a last line break."""
    if isinstance(text, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        yield ValidationError(f"does not match {pattern}")


CHECKED: Any = extend(Draft202012Validator, {"pattern": whole})  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Operation:
    """What the contract says of one method of one path.

    Attributes:
        query: name of each parameter -> its schema.
        body: None, if there is none.
        answers: status and media type -> what validates the body.
        deprecated: what of its answers will go, by name.
    """

    query: Mapping[str, Mapping[str, Any]]
    body: Validator | None
    answers: Mapping[tuple[int, str], Validator]
    deprecated: Mapping[str, Mapping[str, Any]]


class Contract:
    """One release of an API.

    Args:
        document: the OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        resource = DRAFT202012.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource(BASE, resource)

    @cached_property
    def operations(self) -> Mapping[tuple[str, str], Operation]:
        """Method and path (`GET`, `/flights/{id}/`) -> operation."""
        return {
            (method.upper(), path): self._operation(f"/paths/{_escaped(path)}/{method}", said)
            for path, methods in self.document["paths"].items()
            for method, said in methods.items()
        }

    def _operation(self, place: str, said: Mapping[str, Any]) -> Operation:
        parameters = said.get("parameters", ())
        answers = {
            (int(status), media): f"{place}/responses/{status}/content/{_escaped(media)}/schema"
            for status, answer in said["responses"].items()
            for media in answer.get("content", ())
        }
        body = f"{place}/requestBody/content/application~1json/schema"
        return Operation(
            {each["name"]: each["schema"] for each in parameters if each["in"] == "query"},
            self._validator(body) if "requestBody" in said else None,
            {answer: self._validator(schema) for answer, schema in answers.items()},
            {name: said for schema in answers.values() for name, said in self._deprecated(schema)},
        )

    def _validator(self, pointer: str) -> Validator:
        schema = {"$ref": f"{BASE}#{pointer}"}
        made: Validator = CHECKED(schema, registry=self._registry, format_checker=FormatChecker())
        return made

    def _deprecated(self, pointer: str) -> Iterator[tuple[str, Any]]:
        schema = self._registry.resolver(BASE).lookup(f"#{pointer}").contents
        if "$ref" in schema:
            yield from self._deprecated(schema["$ref"].removeprefix("#"))
        for name, said in schema.get("properties", {}).items():
            if said.get("deprecated"):
                yield name, said
            yield from self._deprecated(f"{pointer}/properties/{name}")
        if "items" in schema:
            yield from self._deprecated(f"{pointer}/items")


def _escaped(part: str) -> str:
    """Write a name as a part of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")
