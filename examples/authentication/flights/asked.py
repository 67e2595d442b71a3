"""What a request may say: texts of a body, filters of a list, rows by their key, and JSON that ends."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.relations import PrimaryKeyRelatedField
from rest_framework.request import Request
from rest_framework.serializers import CharField, Serializer


class Json(JSONParser):
    def parse(self, *args: Any, **more: Any) -> Any:
        try:
            return super().parse(*args, **more)
        except RecursionError:  # "[" twenty thousand times
            raise ParseError("The body is nested too deeply") from None


class Search(Serializer[Any]):
    """Of flights: a filter that nobody named could ask for the rows behind them."""

    airline = CharField(required=False, max_length=2)
    number = CharField(required=False, max_length=8)


class Named(PrimaryKeyRelatedField[Any]):
    """A row that the body names, looked up where the view looks."""

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.using(self.context["view"].using)

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except OverflowError:  # 1e400 is infinity
            self.fail("incorrect_type", data_type=type(data).__name__)


def asked(request: Request, *names: str) -> list[str]:
    """Return the texts that a body has to have under these names, each of at most 4,096 characters."""
    fields = {name: CharField(max_length=4096, trim_whitespace=False) for name in names}
    form = type("Form", (Serializer,), fields)(data=request.data)
    form.is_valid(raise_exception=True)
    return [form.validated_data[name] for name in names]
