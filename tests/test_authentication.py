"""What is promised of the running example beyond its claims: an answer while its database is away."""

import json

from nexus import catalog
from nexus.environment import ensure_environment
from nexus.experiment import Request, ask, until
from nexus.stacks.embedded import EmbeddedStack

EXAMPLE = catalog.example("authentication")


def test_without_its_database_it_says_when_to_come_back_and_lets_nobody_in(tmp_path):
    ensure_environment(EXAMPLE)
    with EmbeddedStack(EXAMPLE, tmp_path, workers=2) as stack:
        body = json.dumps({"username": "staff", "password": stack.staff_token}).encode()
        kind = {"Content-Type": "application/json"}
        login = Request(f"{stack.url}/api/sessions/login/", kind, "POST", body)
        tokens = json.loads(ask(login).body)
        known = {"Authorization": f"Bearer {tokens['access']}"}
        refresh = json.dumps({"refresh": tokens["refresh"]}).encode()
        asked = [
            login,
            Request(f"{stack.url}/api/sessions/refresh/", kind, "POST", refresh),
            Request(f"{stack.url}/api/sessions/me/", known),
            Request(f"{stack.url}/api/sessions/bookings/", known),
            Request(f"{stack.url}/api/sessions/flights/"),
            Request(f"{stack.url}/api/sessions/logout/", known, "POST"),
        ]
        with stack.stopped("postgres"):
            answers = [ask(each) for each in asked * 4]
            keys = ask(f"{stack.url}/api/sessions/keys/")
        assert until(lambda: ask(asked[2]).status == 200, 20)

    assert {answer.status for answer in answers} == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"1"}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert {json.loads(answer.body)["title"] for answer in answers} == {
        "The database does not answer"
    }
    assert keys.status == 200  # whoever verifies elsewhere needs no database of ours
