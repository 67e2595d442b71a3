-- The lines of flights.csv, a column for each of its fields. Delays and time in the air: minutes; distance: miles.
CREATE TEMPORARY TABLE staged (
    year text, month text, day text, dep_time text, sched_dep_time text, dep_delay smallint,
    arr_time text, sched_arr_time text, arr_delay smallint, carrier text, flight smallint, tailnum text,
    origin text, dest text, air_time smallint, distance smallint, hour text, minute smallint,
    time_hour timestamptz
) ON COMMIT DROP
