"""The trigger that keeps the two columns equal while both are in use."""

from pathlib import Path
from typing import Final

CREATE: Final = Path(__file__).with_name("sync_columns.sql").read_text("utf-8")
DROP: Final = """
DROP TRIGGER sync ON expand_contract_delay;
DROP FUNCTION expand_contract_sync();
"""
