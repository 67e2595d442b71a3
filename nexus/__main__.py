"""`python -m nexus`."""

from nexus.cli import app

app(prog_name="nexus")
