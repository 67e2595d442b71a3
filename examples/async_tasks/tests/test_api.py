"""The service as its clients meet it: refusals first."""

import json
import uuid

import pytest
from jobs.models import Job, State
from jobs.submit import submit
from jobs.topology import BULK
from reports.ontime import store
from rows import outbox

URL = "/api/durable/reports/"
GOOD = {"airline": "UA", "month": 1}

pytestmark = pytest.mark.django_db


def post(client, document, **headers):
    body = document if isinstance(document, str) else json.dumps(document)
    return client.post(URL, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "document",
    [
        {"airline": "ZZ", "month": 1},
        {"airline": "UA", "month": 13},
        {"airline": "UA", "month": "May"},
        {"airline": "UA"},
        {**GOOD, "delay_seconds": -1},
        {**GOOD, "delay_seconds": "NaN"},
        {**GOOD, "drill": {"fault": "unknown"}},
        [],
        "no JSON",
    ],
)
def test_request_that_is_none_is_refused(client, document):
    answer = post(client, document)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Job.objects.exists()


def test_drill_without_the_staff_token_is_refused(client, settings):
    settings.STAFF_TOKEN = "right"
    drill = {**GOOD, "drill": {"seconds": 1}}

    assert post(client, drill).status_code == 403
    assert post(client, drill, authorization="Bearer wrong").status_code == 403
    assert post(client, drill, authorization="Bearer right").status_code == 202
    assert post(client, drill, authorization="bearer  right").status_code == 202
    assert post(client, drill, authorization="Basic right").status_code == 403


def test_nobody_is_staff_without_a_token(client, settings):
    settings.STAFF_TOKEN = ""

    answer = post(client, {**GOOD, "drill": {}, "month": 1}, authorization="Bearer ")

    assert answer.status_code in (202, 403)
    assert (
        post(client, {**GOOD, "drill": {"seconds": 1}}, authorization="Bearer ").status_code == 403
    )


def test_body_of_ten_megabytes_is_refused(client):
    assert post(client, {**GOOD, "padding": "x" * 10**7}).status_code == 413


@pytest.mark.report(
    "flop-labs/technocore-chat#130",
    "deep JSON is an unhandled error",
    "JSON of too many levels is answered with 400",
)
def test_json_of_too_many_levels_is_refused(client):
    answer = post(client, "[" * 16_000)

    assert answer.status_code == 400
    assert answer.json()["title"] == "JSON of too many levels"


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_key_of_a_wrong_length_is_refused(client, key):
    assert post(client, GOOD, idempotency_key=key).status_code == 400


def test_key_of_another_request_is_refused(client):
    key = uuid.uuid4().hex

    assert post(client, GOOD, idempotency_key=key).status_code == 202
    assert post(client, {**GOOD, "month": 2}, idempotency_key=key).status_code == 422


def test_result_that_is_fetched_too_early_is_not_found(client):
    where = post(client, GOOD)["Location"]

    assert client.get(f"{where}report.csv").status_code == 404


@pytest.mark.parametrize("end", ["", "report.csv"])
def test_unknown_job_is_not_found(client, end):
    answer = client.get(f"/api/jobs/{uuid.uuid4()}/{end}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_path_that_leads_nowhere_is_not_found(client):
    assert client.get("/api/nothing/").status_code == 404
    assert (
        client.get("/api/jobs/------------------------------------/report.csv").status_code == 404
    )


def test_request_is_accepted_with_the_place_of_its_job(client):
    answer = post(client, GOOD)

    assert answer.status_code == 202
    assert answer["Location"] == answer.json()["status"]
    assert client.get(answer["Location"]).json()["state"] == "queued"
    assert outbox().count() == 1


def test_report_of_a_job_that_is_done_is_fetched(client):
    job = submit("report", GOOD, queue=BULK)
    store("day,flights,on_time\n1,2,1\n", job)
    Job.objects.update(state=State.DONE)

    where = client.get(f"/api/jobs/{job}/").json()["report"]

    assert client.get(where).content == b"day,flights,on_time\n1,2,1\n"


def test_variants_are_listed_with_their_paths(client):
    listed = client.get("/api/").json()["variants"]

    assert [each["name"] for each in listed] == ["fire_and_forget", "django_tasks", "durable"]
    assert listed[-1]["path"] == URL
