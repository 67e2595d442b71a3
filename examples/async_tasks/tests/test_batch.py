"""Many jobs and one after all of them, whatever becomes of a member."""

import pytest
from jobs.batch import gather, submit_batch
from jobs.models import Job, Outbox, State
from jobs.operating import cancel
from jobs.runs import Outcome, perform
from jobs.topology import BULK
from reports.durable import WORK
from reports.models import Report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def batch():
    whole = submit_batch(
        "summary",
        {"month": 1},
        [("report", {"airline": code, "month": 1}) for code in ("AA", "UA")],
        queue=BULK,
    )
    return whole, list(Job.objects.filter(whole=whole).values_list("id", flat=True))


def sent(job):
    return Outbox.objects.filter(job_id=job).count()


def test_members_are_sent_and_the_whole_waits(batch):
    whole, members = batch
    Job.objects.filter(id=members[0]).update(state=State.DONE)
    Job.objects.filter(id=members[1]).update(state=State.RUNNING)

    assert gather() == []
    assert [sent(job) for job in (whole, *members)] == [0, 1, 1]


@pytest.mark.parametrize("end", [State.DONE, State.DEAD, State.CANCELLED])
def test_whole_is_sent_once_when_the_last_member_has_ended(batch, end):
    whole, members = batch
    Job.objects.filter(id__in=members).update(state=end)

    assert [gather(), gather()] == [[whole], []]
    assert sent(whole) == 1


def test_cancelled_whole_is_not_sent(batch):
    whole, members = batch
    Job.objects.filter(id__in=members).update(state=State.DONE)
    cancel(whole)

    assert gather() == []


def test_summary_has_what_there_is_and_counts_what_is_lost(batch, policy):
    whole, members = batch
    assert perform(members[1], False, "worker", WORK, policy) is Outcome.DONE
    Job.objects.filter(id=members[0]).update(state=State.DEAD)
    gather()

    assert perform(whole, False, "worker", WORK, policy) is Outcome.DONE
    summary = Report.objects.get(job_id=whole)
    assert summary.csv == "airline,flights,on_time\nUA,0,\n"
    assert (summary.airline, summary.lost) == ("*", 1)


def test_summary_is_asked_for_with_one_request(client):
    answer = client.post("/api/durable/summaries/", {"month": 1}, content_type="application/json")

    assert answer.status_code == 202
    assert Job.objects.filter(whole_id=answer.json()["id"]).count() == 16
    refused = client.post("/api/durable/summaries/", {"month": 13}, content_type="application/json")
    assert refused.status_code == 400
