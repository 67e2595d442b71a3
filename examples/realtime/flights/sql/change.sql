-- One change of a flight, its number and its event in one statement. Parameters: room, flight, gate, remark, and
-- whether the outbox tells it. No row if there is no such flight. The lock of the room's row is held until the commit:
-- whoever changes the same room waits for it, so that numbers are in the order of commits.
WITH room AS (
    UPDATE flights_room SET seq = seq + 1
    WHERE name = %(room)s AND EXISTS (SELECT FROM flights_flight WHERE room_id = %(room)s AND number = %(flight)s)
    RETURNING name, epoch, seq
), flight AS (
    UPDATE flights_flight SET gate = %(gate)s, remark = %(remark)s FROM room
    WHERE room_id = name AND number = %(flight)s
    RETURNING json_build_object('flight', number, 'gate', gate, 'remark', remark) AS event
), change AS (
    SELECT name, epoch, seq, json_build_object('at', epoch || '.' || seq, 'event', event)::text AS body FROM room, flight
), told AS (
    INSERT INTO flights_outbox (room, epoch, seq, body) SELECT * FROM change WHERE %(outbox)s
)
SELECT seq, body, pg_notify('outbox', '') FROM change
