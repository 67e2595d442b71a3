"""Print the tables and their relations as a Mermaid diagram, from the models."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db.models import ForeignKey


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write("\n".join(lines()))


def lines() -> Iterator[str]:
    """Yield the diagram: relations first, then each table with its columns."""
    yield "erDiagram"
    models = [each for each in apps.get_app_config("flights").get_models() if each._meta.managed]
    for model in models:
        for field in model._meta.fields:
            if isinstance(field, ForeignKey):
                some = "|o" if field.null else "||"
                target = field.related_model.__name__
                yield f"    {target} {some}--o{{ {model.__name__} : {field.name}"
    for model in models:
        yield f"    {model.__name__} {{"
        for field in model._meta.fields:
            key = " PK" if field.primary_key else " FK" if isinstance(field, ForeignKey) else ""
            yield f"        {kind(field)} {field.column}{key}"
        yield "    }"


def kind(field: Any) -> str:
    """Return the type of a column as one word."""
    target = field.target_field if isinstance(field, ForeignKey) else field
    words = {"CharField": "varchar", "FloatField": "double", "DateTimeField": "timestamptz"}
    return words.get(
        target.get_internal_type(), target.get_internal_type().replace("Field", "").lower()
    )
