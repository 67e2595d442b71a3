-- Takes changes out of the outbox, oldest first: $1 at most. A second pump waits here, so that none overtakes another.
DELETE FROM flights_outbox
WHERE id IN (SELECT id FROM flights_outbox ORDER BY id LIMIT %s FOR UPDATE)
RETURNING id, room, epoch, seq, body
