"""Site files: read once, checked strictly, found by sender."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.hl7v2.sites import Site, SiteError, Sites, load_sites

FULL = """
sender = ["HIS|CENTRAL", "LIS|*"]
zone = "Asia/Urumqi"
charset = "GB18030"
addresses = ["10.0.0.0/8", "::1"]
[systems]
HIS = "urn:oid:1.2.3"
[tables.sex]
"1" = "male"
[segments.ZPD.Patient]
gender = "ZPD-2 by sex"
[concept_maps]
OBX-3 = "http://a.example/ConceptMap/lab"
[destination]
host = "10.1.1.5"
port = 2575
events = ["ADT", "ORU"]
"""


def load(folder: Path, strangers: bool = True, **files: str) -> Sites:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return load_sites(folder, zone="Asia/Shanghai", strangers=strangers)


def test_a_site_file_is_read_whole(tmp_path: Path) -> None:
    site = load(tmp_path, north=FULL).named["north"]
    assert (site.zone, site.charset) == ("Asia/Urumqi", "GB18030")
    assert site.systems["HIS"] == "urn:oid:1.2.3"
    assert site.tables["sex"]["1"] == "male"
    assert site.segments["ZPD"]["Patient"]["gender"] == "ZPD-2 by sex"
    assert site.destination is not None
    assert site.destination.events == ("ADT", "ORU")


def test_without_files_there_is_the_default_site(tmp_path: Path) -> None:
    sites = load(tmp_path / "nowhere")
    assert sites.of("ANY|ONE") is sites.default
    assert sites.default.zone == "Asia/Shanghai"


def test_the_site_of_a_sender_is_the_one_that_names_it_best(tmp_path: Path) -> None:
    sites = load(
        tmp_path,
        exact='sender = ["HIS|A"]',
        application='sender = ["HIS|*"]',
        facility='sender = ["*|A"]',
    )
    found = [sites.of(one) for one in ("HIS|A", "HIS|B", "LIS|A", "LIS|B")]
    assert [one.name if one else "" for one in found] == [
        "exact",
        "application",
        "facility",
        "default",
    ]


def test_strangers_are_refused_where_that_is_said(tmp_path: Path) -> None:
    sites = load(tmp_path, False, north='sender = ["HIS|A"]')
    assert sites.of("HIS|A") is not None
    assert sites.of("HIS|B") is None
    assert sites.may_connect("127.0.0.1")


def test_a_file_for_the_default_site_is_for_strangers(tmp_path: Path) -> None:
    sites = load(tmp_path, default='charset = "GBK"\naddresses = ["10.0.0.0/8"]')
    site = sites.of("HIS|B")
    assert site is not None
    assert site.charset == "GBK"
    assert not site.admits("127.0.0.1")
    assert not sites.may_connect("127.0.0.1")
    assert sites.may_connect("10.1.2.3")


def test_addresses_say_who_may_send(tmp_path: Path) -> None:
    site = load(tmp_path, north=FULL).named["north"]
    assert site.admits("10.200.0.1")
    assert site.admits("::ffff:10.0.0.1")
    assert site.admits("::1")
    assert not site.admits("192.168.0.1")
    assert not site.admits("nonsense")
    assert Site().admits("192.168.0.1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sendr = []", "sendr is no key of a site; sender?"),
        ('sender = ["A|B"]\n[destination]\nhost="a"\nprt=1', "destination.prt"),
        ('sender = ["A|B"]\n[destination]\nhost="a"\nport="x"', "Expected `int`"),
        ('sender = ["A|B"]\n[destination]\nhost="a"\nport=0', "between 1 and 65535"),
        ('sender = ["A|B"]\n[destination]\nhost="a"\nport=1\nevents=["XXX"]', "XXX is none of"),
        ('sender = ["A"]', "must be MSH-3|MSH-4"),
        ('sender = "A|B"', "Expected `array`"),
        ("", "say who sends"),
        ('sender = ["A|B"]\ncharset = "EBCDIC"', "EBCDIC is unknown"),
        ('sender = ["A|B"]\nzone = "Mars/Olympus"', "Mars/Olympus is no IANA zone"),
        ('sender = ["A|B"]\naddresses = ["10.0.0.0/99"]', "no address or network"),
        ("sender = [", "(at end of document)"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SiteError) as told:
        load(tmp_path, north=text)
    assert "north.toml: " in str(told.value)
    assert words in str(told.value)


def test_two_sites_are_not_for_one_sender(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"HIS\|A is that of"):
        load(tmp_path, north='sender = ["HIS|A"]', south='sender = ["HIS|A"]')


def test_the_name_of_a_site_is_plain(tmp_path: Path) -> None:
    (tmp_path / "Über uns.toml").write_text('sender = ["A|B"]')
    with pytest.raises(SiteError, match="the name of a site"):
        load(tmp_path)
