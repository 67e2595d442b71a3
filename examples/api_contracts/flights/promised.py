"""The base of all views whose requests and answers are those of a contract."""

import re
from typing import Any, ClassVar

from contract import strict
from contract.deprecation import headers
from contract.document import Operation
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from .configured import contract
from .problems import handler


class Json(DefaultContentNegotiation):
    """Answers JSON, whatever is accepted: a client that asks for problems alone gets its answer, too."""

    def select_renderer(self, request: Request, renderers: Any, *_: Any) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class Unread(BaseParser):
    """Leaves a body to whoever knows what it has to be; a charset that the client names has no say."""

    media_type = "application/json"

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        # `body`, and not `read()`, keeps to DATA_UPLOAD_MAX_MEMORY_SIZE; whoever has read before gives bytes.
        return stream.body if isinstance(stream, HttpRequest) else stream.read()


class Promised(APIView):
    """Reads what the contract has, and nothing else.

    Attributes:
        release: the contract.
        operation: what it says of this request; None, if it does not have the method.
        asked, body: what was asked for, with the types of the contract.
    """

    content_negotiation_class = Json
    parser_classes = (Unread,)
    release: ClassVar[str]
    operation: Operation | None
    asked: dict[str, Any]
    body: Any

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        route = request.resolver_match.route.split("/", 2)[2]  # type: ignore[union-attr]  # of a view it has one
        path = "/" + re.sub(r"<int:(\w+)>", r"{\1}", route)
        method = "GET" if request.method == "HEAD" else str(request.method)
        self.operation = contract(self.release).operations.get((method, path))
        if self.operation:
            given = {name: request.query_params.getlist(name) for name in request.query_params}
            self.asked = strict.query(self.operation, given)
            if self.operation.body:
                sent: Any = request.data or b""  # what `Unread` has left, or nothing
                self.body = strict.body(self.operation, sent)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        operation = getattr(self, "operation", None)
        if operation and answer.status_code < 300:
            page = request.build_absolute_uri(f"/api/{request.path.split('/')[2]}/redoc/")
            for name, value in headers(operation.deprecated, page).items():
                answer[name] = value
        return answer

    def get_exception_handler(self) -> Any:
        return handler
