"""Read a request by the contract alone: a name that it does not have is refused, with the nearest one."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any

from jsonschema.protocols import Validator

from .document import Operation

# int() also reads digits of other scripts, and `1_000`; float() also reads `nan`.
INTEGER = re.compile(r"-?[0-9]{1,18}")
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")
BOOLEANS = {"true": True, "false": False}
# Of what a client sent, in what it is told.
MOST_FAULTS = 20
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: in `query` or `body`, under which name (none: all of it), and why."""

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
    parameters: Any = operation.query.schema
    schemas: Mapping[str, Any] = parameters["properties"]
    asked = {name: _typed(schemas.get(name, {}), texts) for name, texts in given.items()}
    twice = [
        _twice("query", name)
        for name, texts in given.items()
        if len(texts) > 1 and not isinstance(asked[name], list)
    ]
    _refuse(chain(twice, _faults("query", operation.query, asked)))
    return {name: said["default"] for name, said in schemas.items() if "default" in said} | asked


def body(operation: Operation, sent: bytes) -> Any:
    """Return what a body says.

    Raises:
        Refused: it is no JSON in UTF-8 (RFC 8259), says a name twice, or is not as the contract says.
    """
    try:
        found = json.loads(sent.decode(), object_pairs_hook=_once)
        # What cannot be written again no database keeps: NaN, 1e400, half of a character ("\ud800").
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
        if operation.body:
            _refuse(_faults("body", operation.body, found))
    except Refused:
        raise
    except (ValueError, RecursionError):  # the latter also of who walks through what was parsed
        raise Refused([Fault("body", "", "is no JSON in UTF-8")]) from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; the parser's own takes the last of those with one name."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        _refuse([_twice("body", name)])
    return found


def _faults(where: str, schema: Validator, given: Any) -> Iterator[Fault]:
    for error in schema.iter_errors(given):
        if error.validator == "additionalProperties":
            of: Any = error
            known = of.schema["properties"]
            for name in sorted(of.instance.keys() - known.keys()):
                yield Fault(where, name, _unknown(name, known))
        else:
            # The library writes what was sent as Python does: `None` for null.
            sent = json.dumps(error.instance, ensure_ascii=False)
            says = error.message.replace(repr(error.instance), sent, 1)
            yield Fault(where, ".".join(map(str, error.absolute_path)), says)


def _twice(where: str, name: str) -> Fault:
    return Fault(where, name, "is given more than once")


def _refuse(faults: Iterable[Fault]) -> None:
    if found := list(islice(faults, MOST_FAULTS)):
        cut = slice(MOST_CHARACTERS)
        raise Refused([replace(each, name=each.name[cut], says=each.says[cut]) for each in found])


def _typed(schema: Mapping[str, Any], texts: Sequence[str]) -> Any:
    """Return a parameter with its type; text that is none of it stays text, which its schema refuses."""
    match schema.get("type"), texts[0]:
        case "array", _:  # as it is written where nothing else is said: `?day=1&day=2`
            return [_typed(schema.get("items", {}), [text]) for text in texts]
        case "integer", text if INTEGER.fullmatch(text):
            return int(text)
        case "number", text if NUMBER.fullmatch(text):
            return float(text)
        case "boolean", text:
            return BOOLEANS.get(text, text)
    return texts[0]


def _unknown(name: str, known: Collection[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    return f"is unknown; did you mean {nearest[0]}?" if nearest else "is unknown"
