"""Parts of source files by name: a Python symbol, a marked region, a service of a compose file."""

import ast
import difflib
import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache

MAX_SUMMARY = 90
REGION_MARK = re.compile(r"^\s*(?:--|#|//|;)\s*\[(?P<end>/?)(?P<name>[\w-]+)\]\s*$")


def excerpt(source: str, name: str, symbol: str) -> str:
    """Return `symbol` of the file `name`, dedented; the whole file if `symbol` is empty.

    In Python a symbol is a dotted path (`TokenBucket.take`, `SCRIPT`), found with its decorators
    and the comment right above it. In any file it is also what stands between two comments
    `# [symbol]` and `# [/symbol]` (or with `--`, `//`, `;`).

    Raises:
        ValueError: there is no such symbol; the message names those that are close.
    """
    lines = source.split("\n")
    return "\n\n".join(_text(lines[part]) for part in _parts(lines, source, name, symbol))


def span(source: str, name: str, symbol: str) -> tuple[int, int]:
    """Return the numbers of the first and the last line that `excerpt` shows, counted from 1.

    Raises:
        ValueError: there is no such symbol; the message names those that are close.
    """
    lines = source.split("\n")
    parts = _parts(lines, source, name, symbol)
    first, last = parts[0].start, parts[-1].stop
    while last > first + 1 and not lines[last - 1].strip():
        last -= 1
    return first + 1, last


def service(source: str, name: str, key: str) -> str:
    """Return the service `key` of a compose file as text with its comments, dedented.

    Raises:
        ValueError: the file has no such service.
    """
    lines = source.split("\n")
    start = next((n for n, line in enumerate(lines) if line.rstrip() == "services:"), len(lines))
    found: list[str] = []
    for line in lines[start + 1 :]:
        if line.strip() and not line.startswith(" "):
            break
        if found and line.strip() and _indent(line) <= _indent(found[0]):
            break
        if found or re.fullmatch(rf"  {re.escape(key)}:\s*(#.*)?", line):
            found.append(line)
    if not found:
        raise ValueError(f"{name} has no service {key!r}")
    return _text(found)


def summary(source: str, name: str) -> str:
    """Return what a file says of itself: its docstring's first sentence, or its first comment."""
    if name.endswith(".py"):
        return _first_sentence(ast.get_docstring(ast.parse(source)) or "")
    comment: list[str] = []
    for line in source.split("\n")[source.startswith("#!") :]:
        match = re.match(r"\s*(?:--|#|//)\s*(.*)", line)
        if match is None:
            break
        if not match[1]:
            break
        comment.append(match[1])
    return _first_sentence("\n".join(comment))


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0].rstrip(".:")
    # A line of a tree: past that, what stands before the colon has to do.
    return sentence if len(sentence) <= MAX_SUMMARY else sentence.partition(": ")[0]


def _parts(lines: list[str], source: str, name: str, symbol: str) -> list[slice]:
    if not symbol:
        return [slice(0, len(lines))]
    is_python = name.endswith(".py")
    if found := list(_definitions(source, name, symbol)) if is_python else []:
        return [_with_heading(lines, node) for node in found]
    return [_region(lines, name, symbol, known=_names(source) if is_python else [])]


def _definitions(source: str, name: str, symbol: str) -> Iterator[ast.stmt]:
    body = _parse(source, name).body
    *parents, last = symbol.split(".")
    for parent in parents:
        nested = [node for node in _statements(body) if parent in _bound(node)]
        body = [child for node in nested for child in getattr(node, "body", [])]
    yield from (node for node in _statements(body) if last in _bound(node))


@lru_cache(maxsize=64)  # a page names many symbols of the same files
def _parse(source: str, name: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"{name} does not parse: {error.msg}, line {error.lineno}") from error


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            nested = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
            yield from _statements(nested)


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign(targets=[ast.Tuple(elts=targets)]) | ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.TypeAlias(name=ast.Name(id=name)):
            return [name]
    return []


def _names(source: str) -> list[str]:
    names = []
    for node in _statements(ast.parse(source).body):
        names += _bound(node)
        if isinstance(node, ast.ClassDef):
            members = [name for member in _statements(node.body) for name in _bound(member)]
            names += [f"{node.name}.{name}" for name in members]
    return names


def _with_heading(lines: list[str], node: ast.stmt) -> slice:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(each.lineno for each in decorators)]) - 1
    indent = lines[start][: _indent(lines[start])]
    while start > 0 and lines[start - 1].startswith(f"{indent}#"):
        start -= 1
    return slice(start, node.end_lineno)


def _region(lines: list[str], name: str, symbol: str, known: list[str]) -> slice:
    start: int | None = None
    for number, line in enumerate(lines):
        mark = REGION_MARK.match(line)
        if mark and not mark["end"]:
            known = [*known, mark["name"]]
        if mark and mark["name"] == symbol:
            if mark["end"] and start is not None:
                return slice(start, number)
            start = number + 1
    if start is not None:
        raise ValueError(f"region {symbol!r} of {name} has no end: [/{symbol}]")
    near = difflib.get_close_matches(symbol, known, n=3, cutoff=0.4)
    hint = f"; close to it: {', '.join(near)}" if near else ""
    raise ValueError(f"{name} has no {symbol!r}{hint}")


def _text(lines: list[str]) -> str:
    kept = [line.rstrip("\r") for line in lines if not REGION_MARK.match(line)]
    return textwrap.dedent("\n".join(kept)).strip("\n")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
