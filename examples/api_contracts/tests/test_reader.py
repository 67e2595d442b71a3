"""The lines of the page, run as they stand there."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from contract import preconditions, strict
from contract.document import Contract
from contract.preconditions import Stale
from contract.strict import Refused
from django.http import HttpResponse
from django.test import RequestFactory
from flights.configured import RELEASES
from flights.models import Flight

README = Path(__file__).parents[1] / "README.md"
LINES = re.compile(r"^In your own project .*?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.django_db
def test_lines_of_the_page_read_by_the_contract_and_change_what_was_read(tmp_path, monkeypatch):
    shutil.copy(RELEASES / "2026.yaml", tmp_path / "openapi.yaml")
    monkeypatch.chdir(tmp_path)
    (lines,) = LINES.findall(README.read_text(encoding="utf-8"))
    known = {
        "yaml": yaml,
        "Path": Path,
        "Contract": Contract,
        "Flight": Flight,
        "preconditions": preconditions,
        "strict": strict,
        "HttpResponse": HttpResponse,
    }
    exec(lines, known)

    def sent(body, version):
        headers = {"If-Match": f'"{version}"'}
        request = RequestFactory().patch("/", json.dumps(body), "application/json", headers=headers)
        return known["check_in"](request, 1)

    assert sent({"bags": 2}, 1).status_code == 204
    assert Flight.objects.get(pk=1).bags == 2
    with pytest.raises(Stale):
        sent({"bags": 3}, 1)
    with pytest.raises(Refused, match="did you mean bags"):
        sent({"bag": 3}, 2)
