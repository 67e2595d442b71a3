"""The page alone is enough: its lines and one copied module page a table in another project."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
KEYSET = HERE.parent / "queries" / "keyset.py"
MOST_LINES = 30
# Forth by `next` to the end, and back by `previous` to the beginning.
TRIED = """
import own_project
from django.db import connection
from django.test import Client

with connection.schema_editor() as editor:
    editor.create_model(own_project.Parcel)
own_project.Parcel.objects.bulk_create(own_project.Parcel(grams=n % 7) for n in range(50))
ordered = [
    {"id": parcel.pk, "grams": parcel.grams}
    for parcel in own_project.Parcel.objects.order_by("-grams", "-id")
]
client = Client(HTTP_HOST="localhost")
pages = [client.get("/").json()]
while pages[-1]["next"]:
    assert len(pages) < 5
    pages.append(client.get("/?" + pages[-1]["next"]).json())
assert [len(page["parcels"]) for page in pages] == [20, 20, 10]
assert [parcel for page in pages for parcel in page["parcels"]] == ordered
for before, page in zip(pages, pages[1:]):
    assert client.get("/?" + page["previous"]).json()["parcels"] == before["parcels"]
assert client.get("/?cursor=forged").status_code == 400
"""


def test_lines_of_the_page_page_a_table_of_another_project(tmp_path):
    written = (HERE / "own_project.py").read_text()
    shown = written.partition("# [yours]\n")[2].partition("\n\n# [/yours]")[0].strip()
    assert (
        f"```python tests/own_project.py::yours\n{shown}" in (HERE.parent / "README.md").read_text()
    )
    assert len([line for line in written.splitlines() if line.strip()]) <= MOST_LINES

    for file in (KEYSET, HERE / "own_project.py"):
        shutil.copy(file, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", TRIED],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
