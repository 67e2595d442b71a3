"""What the pages ask for: start, stop, run, cancel, hurt; and the streams they follow.

Every view of this module is for the holder of the lab's key: `access` guards it.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET, require_POST

from nexus import catalog
from nexus.catalog import UnknownName
from nexus.experiment import Experiment
from nexus.lab import house
from nexus.lab.logs import tail
from nexus.lab.stacks import Refused
from nexus.mine import NAME

EVENT_STREAM = "text/event-stream; charset=utf-8"


@require_GET
async def events(request: HttpRequest) -> StreamingHttpResponse:
    """Everything that happens in this lab, resumable."""
    lab = house.lab()

    def snapshot() -> dict[str, Any]:
        return {
            "examples": [lab.stacks.describe(name) for name in lab.stacks.places],
            "runs": lab.runs.describe(),
        }

    return _stream(lab.log.follow(request.headers.get("Last-Event-ID", ""), snapshot))


@require_GET
async def logs(_: HttpRequest, name: str, program: str) -> StreamingHttpResponse:
    """The last lines of a program's log, and every further line."""
    lab = house.lab()
    if name not in lab.stacks.places:
        raise Http404
    # The program is looked up, never made into a path.
    stack = lab.stacks.places[name].stack
    child = stack.children().get(program) if stack else None
    if child is None:
        raise Http404
    return _stream(tail(child.log, lab.closing))


@require_POST
def start(_: HttpRequest, name: str) -> HttpResponse:
    lab = house.lab()
    return _done(lambda: lab.stacks.start(_known(name)))


@require_POST
def stop(_: HttpRequest, name: str) -> HttpResponse:
    lab = house.lab()
    return _done(lambda: lab.stacks.stop(_known(name)))


@require_POST
def run(request: HttpRequest, name: str, claim: str) -> HttpResponse:
    """Queue a run: `variant` (one or more) and a number for each parameter, or its default."""
    try:
        experiment = catalog.example(_known(name)).experiment(claim)
        mine = house.lab().stacks.places[name].mine is not None
        variants = _variants(experiment, request.POST.getlist("variant"), mine=mine)
        params = _params(experiment, request.POST.dict())
        queued = house.lab().runs.add(name, experiment, variants, params)
    except (Http404, UnknownName) as error:
        return _error(str(error), 404)
    except ValueError as error:
        return _error(str(error), 400)
    except Refused as error:
        return _error(str(error), 409)
    return JsonResponse({"id": queued.number}, status=202)


@require_POST
def cancel(_: HttpRequest, number: int) -> HttpResponse:
    return _done(lambda: house.lab().runs.cancel(number))


@require_POST
def fault(request: HttpRequest, number: int) -> HttpResponse:
    """Inflict `action` on `target` of the stack under a run."""
    action, target = request.POST.get("action", ""), request.POST.get("target", "")
    return _done(lambda: house.lab().runs.hurt(number, action, target))


@require_GET
def chart(_: HttpRequest, number: int) -> HttpResponse:
    """The chart of a run as it is now: the same description and the same drawing as the recorded one."""
    try:
        drawn = house.lab().runs.drawn(number)
    except Refused as error:
        raise Http404(str(error)) from None
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response["Cache-Control"] = "no-store"
    return response


def _known(name: str) -> str:
    if name not in house.lab().stacks.places:
        known = ", ".join(house.lab().stacks.places)
        raise Http404(f"There is no example {name!r}; the examples are: {known}.")
    return name


def _variants(experiment: type[Experiment], asked: list[str], *, mine: bool) -> list[str]:
    known = (*experiment.variants(), NAME) if mine else experiment.variants()
    for variant in asked:
        if variant not in known:
            raise ValueError(
                f"{experiment.slug} has no variant {variant!r}; its variants are: {', '.join(known)}."
            )
    if not asked:
        raise ValueError("Choose at least one variant.")
    return [variant for variant in known if variant in asked]


def _params(experiment: type[Experiment], asked: Mapping[str, str]) -> dict[str, float]:
    params = dict(experiment.defaults())
    for parameter in experiment.parameters:
        if parameter.name not in asked:
            continue
        low, high, unit = parameter.low, parameter.high, parameter.unit
        try:
            value = float(asked[parameter.name])
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"{parameter.name} is a number from {low:g} to {high:g} {unit}.")
        params[parameter.name] = value
    return params


def _done(action: Any) -> HttpResponse:
    try:
        action()
    except Http404 as error:
        return _error(str(error), 404)
    except Refused as error:
        return _error(str(error), 409)
    return JsonResponse({}, status=202)


def _error(message: str, status: int) -> JsonResponse:
    return JsonResponse({"error": message}, status=status)


def _stream(chunks: AsyncIterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chunks, content_type=EVENT_STREAM)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    # Said, so that no middleware compresses and thereby holds back what is to be seen at once.
    response["Content-Encoding"] = "identity"
    return response
