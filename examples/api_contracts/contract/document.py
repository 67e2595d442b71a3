"""The contract: one OpenAPI document, and what it says of each operation.

OpenAPI 3.1.1 (spec.openapis.org/oas/v3.1.1), whose schemas are JSON Schema 2020-12.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import getitem
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend


def whole(_: Any, pattern: str, text: Any, __: Any) -> Iterator[ValidationError]:
    """Read `$` as JSON Schema does: in Python it also stands before a last line break."""
    if isinstance(text, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        yield ValidationError(f"does not match {pattern}")


METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CHECKED: Any = extend(Draft202012Validator, {"pattern": whole})  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Operation:
    """What the contract says of one method of one path.

    Attributes:
        query: all parameters as one object: what validates it, and its schema.
        body: None, if there is none of JSON.
        answers: status as it is written (`200`, `4XX`, `default`) -> media type -> what validates the body.
        deprecated: what of its answers will go, by name.
    """

    query: Validator
    body: Validator | None
    answers: Mapping[str, Mapping[str, Validator]]
    deprecated: Mapping[str, Mapping[str, Any]]

    def promised(self, status: int, media: str) -> Validator | None:
        """Return what validates an answer; the status itself comes before its kind and `default`."""
        written = (str(status), f"{status // 100}XX", "default")
        return next((self.answers[each] for each in written if each in self.answers), {}).get(media)


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
            (method.upper(), path): self._operation(item[method], item.get("parameters", []))
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        }

    def _operation(self, said: Mapping[str, Any], shared: list[Any]) -> Operation:
        parameters = [self._meant(each) for each in (*shared, *said.get("parameters", ()))]
        # By name: one of the operation takes the place of one of the path.
        asked = {each["name"]: each for each in parameters if each["in"] == "query"}
        query = {
            "properties": {
                name: self._meant(each.get("schema", {})) for name, each in asked.items()
            },
            "required": [name for name, each in asked.items() if each.get("required")],
            "additionalProperties": False,
        }
        body = self._content(said.get("requestBody", {})).get("application/json")
        answers = {
            str(status): self._content(answer) for status, answer in said["responses"].items()
        }
        schemas = [schema for content in answers.values() for schema in content.values()]
        return Operation(
            self._validator(query),
            self._validator(body) if body else None,
            {
                status: {media: self._validator(schema) for media, schema in content.items()}
                for status, content in answers.items()
            },
            {name: goes for schema in schemas for name, goes in self._deprecated(schema, set())},
        )

    def _content(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the schemas of a body or an answer by media type."""
        content = self._meant(said).get("content", {})
        return {media: each.get("schema", {}) for media, each in content.items()}

    def _meant(self, said: Any) -> Any:
        """Return what a reference leads to, or `said` if it is none."""
        while "$ref" in said:
            said = reduce(getitem, said["$ref"].split("/")[1:], self.document)
        return said

    def _validator(self, schema: Mapping[str, Any]) -> Validator:
        # With the components beside it, so that `#/components/schemas/Flight` leads there.
        alone = {**schema, "components": self.document.get("components", {})}
        made: Validator = CHECKED(alone, format_checker=FormatChecker())
        return made

    def _deprecated(self, schema: Mapping[str, Any], seen: set[str]) -> Iterator[tuple[str, Any]]:
        if (place := schema.get("$ref", "")) in seen:
            return  # a schema may lead to itself
        if place:
            seen.add(place)
        schema = self._meant(schema)
        inner = schema.get("properties", {})
        yield from ((name, said) for name, said in inner.items() if said.get("deprecated"))
        parts = chain.from_iterable(schema.get(each, ()) for each in ("allOf", "anyOf", "oneOf"))
        items = [schema["items"]] if "items" in schema else []
        for part in (*inner.values(), *parts, *items):
            yield from self._deprecated(part, seen)
