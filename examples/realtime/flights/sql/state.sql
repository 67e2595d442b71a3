-- A room as of one moment: its number and its flights. Parameter: room. No row if there is none.
SELECT epoch, seq, json_build_object('at', epoch || '.' || seq, 'state', (
    SELECT coalesce(json_agg(json_build_object(
        'flight', number, 'departs', departs, 'gate', gate, 'remark', remark) ORDER BY departs, number), '[]')
    FROM flights_flight WHERE room_id = name
))::text
FROM flights_room WHERE name = %s
