"""What a list from elsewhere may do, and what it may not."""

import codecs

import pytest
from shield import feeds
from shield.addresses import host_of, parse_address, parse_network
from shield.feeds import Unfit
from shield.run import Run


def read(*lines, protected=()):
    return feeds.read("\n".join(lines).encode(), protected)


def listed(found, text):
    return host_of(parse_address(text)) in Run(found.run)


@pytest.mark.report(
    "firehol/blocklist-ipsets#142",
    "a list that many use contains 10.0.0.0/8",
    "what no stranger has, and your own proxies, are left out and named",
)
@pytest.mark.report(
    "firehol/blocklist-ipsets#271",
    "a list contains 128.0.0.0/2, a quarter of all addresses",
    "what is wider than registries hand out is left out and named",
)
@pytest.mark.report(
    "trick77/nftables-blacklist#98",
    "one line, 858.5.5.5, and the whole list is not loaded",
    "the line is left out and named, up to one in ten",
)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("128.0.0.0/2", "wider than a /8"),
        ("858.5.5.5", "names no network"),
        ("0.0.0.0/0", "wider than a /8"),
        ("::/0", "wider than a /19"),
        ("10.1.0.0/16", "no stranger has"),
        ("8.0.0.0/5", "wider"),
        ("172.0.0.0/8", "no stranger has"),
        ("1.0.0.0 - 200.0.0.0", "wider"),
        ("fe80::/10", "wider"),
        ("::1", "no stranger has"),
        ("0:0:101:101::/64", "no stranger has"),
        ("64::/20", "no stranger has"),
        ("1.1.1.1 - 2a00::", "names no network"),
        ('["1.1.1.1", "1.1.9.9"]', "names no network"),
        ("1.1.1.1 0.0.0.0", "wider than a /8"),
        ("64:ff9b::/96", "wider"),
        ("203.0.113.0/24", "no stranger has"),
        ("not a network", "names no network"),
        ("1.1.1.9 - 1.1.1.1", "names no network"),
        ("010.1.1.1", "names no network"),
        ("1.1.1.1 " + "x" * 2_000, "names no network"),
        ('{"cidr": 7}', "names no network"),
        ('{"cidr"', "names no network"),
        ("[" * 100_000, "names no network"),
        ('{"cidr":' * 200, "names no network"),
    ],
)
def test_line_that_would_hurt_is_left_out_and_named(text, reason):
    found = read("# a list", text, protected=[parse_network("203.0.113.8/29").span])

    assert not found.networks
    assert found.rejected[0].startswith("line 1: ")
    assert reason in found.rejected[0]


def test_firehol_and_both_formats_of_spamhaus_are_read():
    found = read(
        "# Version: 1",
        "1.10.16.0/20 ; SBL256894",
        "",
        "1.19.0.0 # scanner",
        '{"cidr":"2a0e:b107:10::/48","sblid":"SBL1","rir":"ripencc"}',
        '{"type":"metadata","timestamp":1,"size":1,"records":1,"copyright":"(c)"}',
    )

    assert found.networks == 3
    assert all(listed(found, each) for each in ("1.10.31.255", "1.19.0.0", "2a0e:b107:10:ffff::1"))
    assert (found.lines, found.malformed) == (3, 0)


@pytest.mark.report(
    "certtools/intelmq#1720",
    "a list of addresses begins to contain networks, and is not read any more",
    "ranges, netmasks, host bits, columns: each is read, and the report names its format",
)
@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("1.1.1.0 - 1.1.1.9", "range"),
        ("1.1.1.0-1.1.1.9", "range"),
        ("1.1.1.1/24", "host bits set"),
        ("1.1.1.0/255.255.255.0", "netmask"),
        ("1.1.1.0 255.255.255.0", "netmask"),
        ("1.1.1.6 255.255.255.0", "netmask"),
        ("1.1.1.0,1.1.1.9,AU", "range"),
        ('"1.1.1.5","2026-11-28","ssh"', "column"),
        ("1.1.1.5\t17", "column"),
        ("1.1.1.5|AS13335|1.1.1.0", "column"),
        ("1.1.1.0/24 ; SBL7", "column"),
        ("1.1.1.0-1.1.1.9 ; SBL7", "range"),
    ],
)
def test_formats_of_lists_are_read_and_named(line, form):
    found = read(line)

    assert found.formats == {form: 1}
    assert listed(found, "1.1.1.5")
    assert not listed(found, "1.1.2.0")


@pytest.mark.report(
    "pfBlockerNG/pfBlockerNG#938",
    "an address of IPv6 in brackets, and a first line behind a byte-order mark, are never read",
    "brackets are taken off like quotes, and the mark names the encoding",
)
def test_address_in_brackets_is_read():
    found = read("[2604:2dc0:100:4ed8::]")

    assert found.formats == {"column": 1}
    assert listed(found, "2604:2dc0:100:4ed8::7")


@pytest.mark.report(
    "TheSpeedX/PROXY-List#90",
    "lists of open proxies are `address:port`, with 0.0.0.0 and loopback among them",
    "the address is listed, what no stranger has is left out and named",
)
def test_address_with_a_port_is_read():
    found = read(
        "1.1.1.5:8080", "[2a00:1::7]:443", "1.1.1.6:80,elite", "0.0.0.0:80", "127.0.0.7:80"
    )

    assert found.formats == {"column": 5}
    assert all(listed(found, each) for each in ("1.1.1.5", "1.1.1.6", "2a00:1::9"))
    assert (found.networks, found.malformed) == (3, 0)
    assert [line.partition(":")[0] for line in found.rejected] == ["line 4", "line 5"]


@pytest.mark.report(
    "rakshasa/rtorrent#71",
    "lists as they are published, `name:first-last`, need a script of one's own first",
    "names may hold colons and `#`; eMule's zeros are decimal",
)
@pytest.mark.report(
    "webtorrent/load-ip-set#4",
    "who reads `name:first-last` takes a list of plain addresses for an empty one",
    "both are read, also in one list",
)
@pytest.mark.parametrize(
    "line",
    [
        "Some org: #1:1.1.1.0-1.1.1.9",
        "1.1.1.0 - 1.1.1.9 , 000 , Some org",
        "001.001.001.000 - 001.001.001.009 , 000 , Some org",
    ],
)
def test_ranges_with_names_are_read(line):
    found = read(line, "1.1.9.9")

    assert listed(found, "1.1.1.9")
    assert listed(found, "1.1.9.9")
    assert not listed(found, "1.1.1.10")


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marked_encodings_are_read(mark, encoding, end):
    found = feeds.read(mark + f"1.1.1.1{end}1.1.1.3{end}".encode(encoding))

    assert (found.networks, found.malformed) == (2, 0)


@pytest.mark.report(
    "fail2ban/fail2ban#3960",
    "a listed address of IPv6 is one of 2⁶⁴ that its host has",
    "its /64 is refused, as after a ban by hand",
)
def test_listed_address_of_ipv6_is_its_64():
    found = read("2a00:1::7", "2a00:2::/127", "2a00:3::-2a00:3::9")

    assert all(listed(found, f"2a00:{n}::ffff:ffff:ffff:ffff") for n in (1, 2, 3))
    assert not listed(found, "2a00:1:0:1::")


@pytest.mark.report(
    "WaterByWind/edgeos-bl-mgmt#1",
    "a remark is taken for a part of the list, which grows past all bounds",
    "what a remark says is not listed, also where it names addresses",
)
@pytest.mark.parametrize(
    "remark", ["# 1.1.9.9", "#1.1.9.9", "; 1.1.9.9", "// 1.1.9.9", "# by: 1.1.9.1-1.1.9.9"]
)
def test_address_in_a_remark_is_not_listed(remark):
    found = read(f"1.1.1.1 {remark}")

    assert list(Run(found.run)) == [parse_network("1.1.1.1").span]


def addresses(count):
    return [f"1.1.{n >> 8}.{n & 255}" for n in range(count)]


@pytest.mark.parametrize(
    ("lines", "last", "reason"),
    [
        ([], 10, "empty"),
        (
            ["<html>", "1.1.1.1"],
            0,
            r"1 of 2 lines are malformed; line 1: '<html>' names no network; exp",
        ),
        (addresses(1), 101, "1 networks instead of 101"),
        (addresses(230), 101, "230 networks instead of 101"),
    ],
)
def test_list_that_cannot_be_right_is_refused(lines, last, reason):
    with pytest.raises(Unfit, match=reason):
        feeds.check(read(*lines), last)


@pytest.mark.parametrize(("count", "last"), [(7, 3), (1, 100), (100, 1), (300, 0)])
def test_short_or_new_list_may_do_as_it_likes(count, last):
    feeds.check(read(*addresses(count)), last)
