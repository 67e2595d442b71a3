"""NOT NULL without a scan under an exclusive lock: CHECK … NOT VALID, VALIDATE, and only then NOT NULL.

PostgreSQL manual, ALTER TABLE: SET NOT NULL skips its scan where a valid CHECK rules NULL out.
"""


def forbid_null(table: str, column: str) -> tuple[str, ...]:
    """Return the statements, each a transaction of its own; begun again, they end the same."""
    alter, check = f"ALTER TABLE {table}", f"{column}_set"
    return (
        f"{alter} DROP CONSTRAINT IF EXISTS {check},"
        f" ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID",
        f"{alter} VALIDATE CONSTRAINT {check}",
        f"{alter} ALTER COLUMN {column} SET NOT NULL",
        f"{alter} DROP CONSTRAINT {check}",
    )


def allow_null(table: str, column: str) -> str:
    return f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"
