"""The claims of this example."""

CLAIMS: tuple[str, ...] = ()
