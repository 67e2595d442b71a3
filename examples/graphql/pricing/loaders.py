"""Relations of one request in batches: all rows that a level of the query needs, in one statement.

DataLoader (graphql/dataloader, 2015). Batches form in the event loop that `async_to_sync` runs, and their SQL
runs on the thread of the request: same connection, same transaction, no ASGI.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import ForeignKey, Model
from psycopg import sql
from strawberry.dataloader import DataLoader

PAGE = Path(__file__).with_name("page.sql").read_text("utf-8")


class Loaders:
    """The loaders of one request; they remember what they have loaded, so they must not outlive it."""

    def __init__(self) -> None:
        self.loaders: dict[Any, DataLoader[Any, Any]] = {}

    def run[T](self, function: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Do what asks the database on the thread of the request."""
        return sync_to_async(function)(*args)

    def change[T](self, function: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Do what changes the database, and forget what was loaded before: it may be another by then."""
        self.loaders.clear()
        return self.run(function, *args)

    def one[M: Model](self, model: type[M], key: object) -> Awaitable[M | None]:
        """Load a row by its key; all of one model that are asked for together are one statement."""
        return self._loader(model, lambda keys: _by_key(model, keys)).load(key)

    def page(self, parent: Any, key: object, rows: int) -> Awaitable[list[Any]]:
        """Load the first `rows` of those whose foreign key `parent` (`Flight.origin`) is `key`.

        Aliases that ask for different numbers of rows share the statement.
        """
        field: ForeignKey[Any, Any] = parent.field
        return self._loader(field, lambda asked: _pages(field, asked)).load((key, rows))

    def _loader(
        self, name: object, fetch: Callable[[list[Any]], Sequence[Any]]
    ) -> DataLoader[Any, Any]:
        if name not in self.loaders:
            self.loaders[name] = DataLoader(load_fn=sync_to_async(fetch))
        return self.loaders[name]


def _by_key(model: type[Model], keys: list[Any]) -> list[Model | None]:
    found = model._default_manager.in_bulk(keys)
    return [found.get(key) for key in keys]


def _pages(field: "ForeignKey[Any, Any]", asked: list[tuple[Any, int]]) -> list[list[Any]]:
    meta = field.model._meta
    names = {"table": meta.db_table, "parent": str(field.column), "order": str(meta.pk.column)}
    key_type = sql.SQL(field.db_type(connection) or "")
    quoted = {name: sql.Identifier(each) for name, each in names.items()}
    statement = sql.SQL(PAGE).format(key_type=key_type, **quoted)
    keys, rows = zip(*asked, strict=True)
    pages: defaultdict[int, list[Any]] = defaultdict(list)
    # A string, for Django asks a statement whether it contains certain words.
    text = statement.as_string()
    found: Iterable[Any] = field.model._default_manager.raw(text, [list(keys), list(rows)])
    for row in found:
        pages[row.place].append(row)
    return [pages[place] for place in range(1, len(asked) + 1)]
