"""Read a request by the contract alone: a name that it does not have is refused, with the nearest one."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

from jsonschema import FormatChecker

from .document import CHECKED, Operation

INTEGER = re.compile(r"-?[0-9]{1,18}")  # int() also reads digits of other scripts, and `1_000`
# Of what a client sent, in what it is told.
MOST_FAULTS = 20
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: in `query` or `body`, under which name, and why."""

    where: str
    name: str
    says: str


class Refused(ValueError):
    """The contract does not have such a request."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(each.says for each in faults))
        self.faults = faults


def query(operation: Operation, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the parameters with the types of their schemas, and the defaults of those not given.

    Raises:
        Refused: one is unknown, given twice, or not as its schema says.
    """
    _refuse(_of_query(operation, given))
    schemas = operation.query
    found = {name: said["default"] for name, said in schemas.items() if "default" in said}
    return found | {
        name: _typed(schemas[name], given[name][0]) for name in schemas if name in given
    }


def _of_query(operation: Operation, given: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    for name, texts in given.items():
        if name not in operation.query:
            yield Fault("query", name, _unknown(name, operation.query))
        elif len(texts) > 1:
            yield Fault("query", name, "is given more than once")
        else:
            schema = operation.query[name]
            check = CHECKED(schema, format_checker=FormatChecker())
            for error in check.iter_errors(_typed(schema, texts[0])):
                yield Fault("query", name, error.message)


def body(operation: Operation, given: Any) -> Any:
    """Return the body as it is.

    Raises:
        Refused: it is not as the contract says.
    """
    _refuse(_of_body(operation, given))
    return given


def _of_body(operation: Operation, given: Any) -> Iterator[Fault]:
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        yield Fault("body", "$", "has half of a character")  # "\ud800", which no database keeps
    for error in operation.body.iter_errors(given) if operation.body else ():
        if error.validator == "additionalProperties":
            schema: Any = error.schema
            instance: Any = error.instance
            for name in sorted(instance.keys() - schema["properties"].keys()):
                yield Fault("body", name, _unknown(name, schema["properties"]))
        else:
            yield Fault("body", error.json_path, error.message)


def _refuse(faults: Iterator[Fault]) -> None:
    if found := list(islice(faults, MOST_FAULTS)):
        cut = slice(MOST_CHARACTERS)
        raise Refused([replace(each, name=each.name[cut], says=each.says[cut]) for each in found])


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    if schema["type"] == "integer" and INTEGER.fullmatch(text):
        return int(text)
    return text


def _unknown(name: str, known: Collection[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    return f"is unknown; did you mean {nearest[0]}?" if nearest else "is unknown"
