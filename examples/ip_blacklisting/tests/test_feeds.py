"""What a list from elsewhere may do, and what it may not."""

import pytest
from shield import feeds
from shield.addresses import parse_address, parse_network
from shield.feeds import Unfit
from shield.run import Run


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.0.0.0/0", "wider than /8"),
        ("::/0", "wider than /19"),
        ("10.1.0.0/16", "no stranger has"),
        ("8.0.0.0/5", "wider"),
        ("172.0.0.0/8", "no stranger has"),
        ("fe80::/10", "wider"),
        ("::1", "no stranger has"),
        ("203.0.113.0/24", "no stranger has"),
        ("not a network", "neither"),
        ('{"cidr": 7}', "neither"),
        ('{"cidr"', "neither"),
    ],
)
def test_line_that_would_hurt_is_left_out_and_named(text, reason):
    found = feeds.read([text], [parse_network("203.0.113.8/29")])

    assert not found.networks
    assert reason in found.rejected[0]


def test_firehol_and_both_formats_of_spamhaus_are_read():
    lines = [
        "# Version: 1",
        "1.10.16.0/20 ; SBL256894",
        "",
        "1.19.0.0 # scanner",
        '{"cidr":"2a0e:b107:10::/48","sblid":"SBL1","rir":"ripencc"}',
        '{"type":"metadata","timestamp":1,"size":1,"records":1,"copyright":"(c)"}',
    ]

    found = feeds.read(lines)

    run = Run(memoryview(found.run))
    assert found.networks == 3
    for inside in ("1.10.31.255", "1.19.0.0", "2a0e:b107:10:ffff::1"):
        assert parse_address(inside) in run
    assert (found.lines, found.malformed) == (3, 0)


@pytest.mark.parametrize(
    ("lines", "last", "reason"),
    [
        ([], 10, "empty"),
        (["<html>", "1.1.1.1"], 0, "malformed"),
        (["1.1.1.1"], 10, "1 networks instead of 10"),
        ([f"1.1.1.{n}" for n in range(30)], 10, "30 networks instead of 10"),
    ],
)
def test_list_that_cannot_be_right_is_refused(lines, last, reason):
    with pytest.raises(Unfit, match=reason):
        feeds.check(feeds.read(lines), last)
