"""Send what a client of an earlier release sent, and look at the answers with its eyes.

A schema cannot tell minutes from seconds. So an answer has to be valid by the earlier contract, and to say
what it said when it was recorded; what it says besides is nobody's concern.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .document import Contract


@dataclass(frozen=True)
class Answer:
    """What came back; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


type Send = Callable[[str, str, Mapping[str, str], Any], Answer]  # method, path, headers, body


@dataclass(frozen=True)
class Call:
    """One recorded call.

    Attributes:
        operation: its path in the contract.
        path: where it goes; `{id}` is what the latest answer with an id has as such.
        read: send the entity tag of the latest answer that had one.
        says: what the answer said of what does not change.
    """

    name: str
    method: str
    operation: str
    path: str
    status: int
    says: Any = None
    body: Any = None
    read: bool = False


def replay(calls: Sequence[Call], contract: Contract, send: Send) -> Iterator[tuple[Call, str]]:
    """Yield each call with what is wrong about its answer; nothing, if the client gets what it got."""
    known = {"id": "", "etag": ""}
    for call in calls:
        headers = {"If-Match": known["etag"]} if call.read else {}
        answer = send(call.method, call.path.replace("{id}", known["id"]), headers, call.body)
        known["etag"] = answer.headers.get("etag", known["etag"])
        if isinstance(answer.body, dict) and "id" in answer.body:
            known["id"] = str(answer.body["id"])
        yield call, "; ".join(_faults(call, contract, answer))


def _faults(call: Call, contract: Contract, answer: Answer) -> Iterator[str]:
    if answer.status != call.status:
        yield f"status {answer.status} instead of {call.status}"
        return
    media = answer.headers.get("content-type", "").partition(";")[0]
    promised = contract.operations[call.method, call.operation].promised(answer.status, media)
    if promised:
        for error in promised.iter_errors(answer.body):
            yield f"{error.json_path}: {error.message[:80]}"
    elif answer.body is not None:
        yield f"{media or 'an answer without a type'} was never promised"
    yield from _unsaid(call.says, answer.body, "$")


def _unsaid(said: Any, now: Any, place: str) -> Iterator[str]:
    """Yield what was said and is not any more; members that came since are no fault."""
    if isinstance(said, dict) and isinstance(now, dict):
        for name, value in said.items():
            yield from _unsaid(value, now.get(name), f"{place}.{name}")
    elif isinstance(said, list) and isinstance(now, list) and len(said) <= len(now):
        for index, (then, later) in enumerate(zip(said, now, strict=False)):
            yield from _unsaid(then, later, f"{place}[{index}]")
    elif said is not None and said != now:
        yield f"{place} was {said!r:.60}, and is {now!r:.60}"
