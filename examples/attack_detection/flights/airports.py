"""The airports this service knows, from a file: `airportsdata`, the thirteen of its stories."""

import json
from pathlib import Path
from typing import Final

RECORDS: Final = json.loads(Path(__file__).with_name("airports.json").read_text("utf-8"))

# Encoded once: every variant then answers with the same bytes, and costs the same to answer.
DOCUMENTS: Final[dict[str, bytes]] = {
    record["code"]: json.dumps(record, ensure_ascii=False).encode() for record in RECORDS
}
