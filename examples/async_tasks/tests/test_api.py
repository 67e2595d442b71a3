"""The service as its clients meet it: refusals first."""

import json
import uuid

import pytest
from jobs.models import Job, Outbox, State
from jobs.runs import perform
from jobs.submit import submit
from jobs.topology import BULK
from reports.durable import WORK
from reports.models import Flight, Report
from reports.work import compute, store

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
        {**GOOD, "resamples": 10**9},
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


def test_nobody_is_staff_without_a_token(client, settings):
    settings.STAFF_TOKEN = ""

    answer = post(client, {**GOOD, "drill": {}, "month": 1}, authorization="Bearer ")

    assert answer.status_code in (202, 403)
    assert (
        post(client, {**GOOD, "drill": {"seconds": 1}}, authorization="Bearer ").status_code == 403
    )


@pytest.mark.parametrize("asked_for", ["reports", "summaries"])
def test_body_of_ten_megabytes_is_refused(client, asked_for):
    body = json.dumps({**GOOD, "padding": "x" * 10**7})

    answer = client.post(f"/api/durable/{asked_for}/", body, content_type="application/json")

    assert answer.status_code == 413


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_key_of_a_wrong_length_is_refused(client, key):
    assert post(client, GOOD, idempotency_key=key).status_code == 400


def test_key_of_another_request_is_refused(client):
    key = uuid.uuid4().hex

    assert post(client, GOOD, idempotency_key=key).status_code == 202
    assert post(client, {**GOOD, "month": 2}, idempotency_key=key).status_code == 422


def test_result_that_is_fetched_too_early_is_refused(client):
    status = post(client, GOOD)["Location"]

    answer = client.get(f"{status}report.csv")

    assert answer.status_code == 409
    assert answer.json()["state"] == "queued"


@pytest.mark.parametrize("end", ["", "report.csv", "report.svg"])
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
    assert Outbox.objects.count() == 1


def test_cancelled_job_stays_cancelled_and_an_ended_one_cannot_be(client):
    where = post(client, GOOD)["Location"]

    assert [client.delete(where).status_code for _ in range(2)] == [204, 204]
    Job.objects.update(state=State.DONE)
    assert client.delete(where).status_code == 409
    assert client.delete(f"/api/jobs/{uuid.uuid4()}/").status_code == 404


def test_report_is_a_table_and_a_picture(client):
    Flight.objects.bulk_create(
        Flight(airline="UA", month=1, day=day, departure_delay=0, arrival_delay=delay)
        for day, delay in [(1, 14), (1, 15), (2, None), (2, -5), (2, 0)]
    )
    job, _ = submit("report", GOOD, queue=BULK)
    store(job, GOOD, compute(GOOD, lambda _: None))
    Job.objects.update(state=State.DONE)

    results = client.get(f"/api/jobs/{job}/").json()["results"]

    assert client.get(results["csv"]).content == b"day,flights,on_time\n1,2,0.5000\n2,3,0.6667\n"
    assert client.get(results["svg"])["Content-Type"] == "image/svg+xml"
    assert Report.objects.get().on_time == 0.6


def test_month_without_flights_has_an_empty_report():
    made = compute({"airline": "OO", "month": 2}, lambda _: None)

    assert (made.flights, made.on_time) == (0, None)


def test_documentation_is_served(client):
    for path in ("/api/schema/", "/api/docs/", "/api/redoc/", "/api/"):
        assert client.get(path).status_code == 200


def test_metrics_tell_of_jobs_and_queues(client):
    post(client, GOOD)

    told = client.get("/metrics").content.decode()

    assert 'jobs{state="queued"} 1.0' in told
    assert 'jobs_waiting{queue="jobs.bulk"} 1.0' in told
    assert "jobs_dead_letters 0.0" in told


def test_request_id_is_kept_with_the_job_and_given_back(client):
    answer = post(client, GOOD, x_request_id="abc")

    assert answer["X-Request-ID"] == "abc"
    assert Job.objects.get().correlation == "abc"


def test_webhook_that_points_inward_is_refused(client):
    answer = post(client, {**GOOD, "webhook": "http://169.254.169.254/"})

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"webhook": ["169.254.169.254 points inward"]}


@pytest.mark.django_db(transaction=True)
def test_report_with_a_webhook_asks_for_its_delivery_once(policy):
    asked = {**GOOD, "webhook": "https://example.com/", "resamples": 0}
    job, _ = submit("report", asked, queue=BULK, correlation="abc")

    for _ in range(2):
        perform(job, False, "worker", WORK, policy)

    delivery = Job.objects.get(kind="delivery")
    assert delivery.arguments["told"]["job"] == str(job)
    assert delivery.correlation == "abc"
