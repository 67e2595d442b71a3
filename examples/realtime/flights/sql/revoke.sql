-- Ends a session, and tells it with the same outbox. Parameter: session.
WITH gone AS (
    DELETE FROM flights_session WHERE id = %s RETURNING id
), told AS (
    INSERT INTO flights_outbox (room, epoch, seq, body) SELECT '', '', 0, id FROM gone
)
SELECT pg_notify('outbox', '') FROM gone
