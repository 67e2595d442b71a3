"""The reports, and the file that they are made from."""

from reports.asked import AIRLINES
from reports.ontime import days, report


def test_reports_have_every_flight_of_the_year():
    reports = [
        report({"airline": one, "month": month}) for one in AIRLINES for month in range(1, 13)
    ]
    counted = [line.split(",") for each in reports for line in each.splitlines()[1:]]

    assert len(counted) == len(days()) - 1
    assert sum(int(flights) for _, flights, _ in counted) == 336_776
    assert sum(int(on_time) for _, _, on_time in counted) == 247_246
    assert all(0 <= int(on_time) <= int(flights) for _, flights, on_time in counted)


def test_report_is_a_table_of_its_month_alone():
    lines = report({"airline": "UA", "month": 1}).splitlines()

    assert lines[:2] == ["day,flights,on_time", "1,165,118"]
    assert [line.split(",")[0] for line in lines[1:]] == [str(day) for day in range(1, 32)]


def test_month_without_flights_has_an_empty_report():
    assert report({"airline": "OO", "month": 2}) == "day,flights,on_time\n"
