-- 50 passengers, and 500 bookings of theirs: two on each of the first 250 flights. The same on every machine.
INSERT INTO flights_passenger (id, name, email, passport)
SELECT n, 'Passenger ' || n, 'p' || n || '@example.org', 'P' || upper(left(md5('passport' || n), 8))
FROM generate_series(1, 50) AS n;
INSERT INTO flights_booking (id, reference, flight_id, passenger_id, seat)
SELECT n, upper(left(md5('booking' || n), 6)), (n + 1) / 2, (n - 1) % 50 + 1, (n + 1) / 2 % 30 + 1 || substr('AB', n % 2 + 1, 1)
FROM generate_series(1, 500) AS n
