-- Parameters: airport, slot. The addition happens in the row as it is when it is locked, not as it was read.
INSERT INTO flights_views (airport_id, slot, seen) VALUES (%s, %s, 1)
ON CONFLICT (airport_id, slot) DO UPDATE SET seen = flights_views.seen + 1
