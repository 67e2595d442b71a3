-- Who sees and changes which row. `app.user` is the id of whoever asks; unset, or '' after a transaction, is nobody.
-- FORCE: else the owner of the table sees all of it. Superusers see all of it in any case: they assume a role.
CREATE FUNCTION app_user() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('app.user', true), '')::integer $$;

ALTER TABLE flights_booking ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY passenger ON flights_booking USING (passenger_id = app_user());
CREATE POLICY desk ON flights_booking USING (EXISTS (
    SELECT FROM flights_flight JOIN flights_desk USING (airline)
    WHERE flights_flight.id = flight_id AND flights_desk.user_id = app_user()
));
CREATE POLICY staff ON flights_booking USING (
    EXISTS (SELECT FROM auth_user WHERE auth_user.id = app_user() AND is_staff)
);

-- Whoever sees a booking sees its passenger.
ALTER TABLE flights_passenger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY passenger ON flights_passenger USING (
    user_id = app_user()
    OR EXISTS (SELECT FROM flights_booking WHERE passenger_id = flights_passenger.user_id)
);
