"""What is known of a message from the outside: site, keys, and why it cannot be worked on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.envelope import Envelope, keys_of, open_envelope
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import DEFAULT, Site, Sites

KINDS = frozenset(("ADT^A01", "ORU^R01"))
NORTH = Site("north", ("市一|中心",), charset="GB18030")
SITES = Sites({DEFAULT: Site(), "north": NORTH})


def header(kind: str = "ADT^A01", version: str = "2.5", more: str = "", sender: str = "A|B") -> str:
    return f"MSH|^~\\&|{sender}|HUB|C|20260301||{kind}|7|P|{version}{more}\r"


def opened(text: str, sites: Sites = SITES) -> Envelope:
    return open_envelope(text.encode(), sites, KINDS)


def test_a_message_that_can_be_worked_on_has_its_keys() -> None:
    envelope = opened(header() + "PID|1||P1^^^HIS~P2^^^NID&1.2&ISO|")
    assert envelope.issue is None
    assert envelope.site.name == DEFAULT
    assert envelope.keys == ("HIS|P1", "NID&1.2&ISO|P2")


@pytest.mark.parametrize(
    ("text", "message", "place", "answer"),
    [
        (header("XYZ^A01"), "hl7v2-type-unknown", "MSH-9.1", "AR"),
        (header("ADT^A99"), "hl7v2-event-unknown", "MSH-9.2", "AR"),
        (header(version="2.99"), "hl7v2-version-unknown", "MSH-12", "AR"),
        (header(version=""), "hl7v2-field-required", "MSH-12", "AR"),
        (header().replace("|7|", "||"), "hl7v2-field-required", "MSH-10", "AR"),
        (header().replace("|7|", f"|{'7' * 200}|"), "hl7v2-control-id-long", "MSH-10", "AR"),
        (header().replace("|P|", "|X|"), "hl7v2-processing-id", "MSH-11", "AR"),
        (header("XYZ^A01", more="|||AL|NE"), "hl7v2-type-unknown", "MSH-9.1", "CR"),
        (header() + "no segment", "hl7v2-segment-name", "line 2", "AE"),
        (header(more="|||AL") + "no segment", "hl7v2-segment-name", "line 2", "CE"),
        ("PID|1", "hl7v2-no-msh", "MSH", "AE"),
    ],
)
def test_what_cannot_be_worked_on_is_told_why(
    text: str, message: str, place: str, answer: str
) -> None:
    envelope = opened(text)
    assert envelope.issue is not None
    assert (envelope.issue.message, envelope.issue.location) == (message, place)
    assert f"\rMSA|{answer}|".encode() in envelope.refusal()


def test_undecodable_bytes_are_faulty_and_keep_their_control_id() -> None:
    raw = header(more="||||||UNICODE UTF-8").encode() + b"PID|1||\xff"
    envelope = open_envelope(raw, SITES, KINDS)
    assert envelope.issue is not None
    assert envelope.issue.message == "hl7v2-undecodable"
    assert (envelope.control_id, envelope.header.kind) == ("7", "ADT^A01")
    assert b"\rMSA|AE|7\r" in envelope.refusal()


def test_a_sender_whose_name_is_in_the_site_s_charset_is_found() -> None:
    text = header(sender="市一|中心") + "PID|1||P1||张三"
    envelope = open_envelope(text.encode("gb18030"), SITES, KINDS)
    assert envelope.site is NORTH
    assert envelope.message is not None
    assert envelope.message.segments[1].field(5) == "张三"
    assert open_envelope(text.encode(), SITES, KINDS).site.name == "north"


def test_strangers_are_rejected_where_they_are_refused() -> None:
    envelope = opened(header(), Sites({DEFAULT: Site()}, strangers=False))
    assert envelope.issue is not None
    assert envelope.issue.message == "hl7v2-sender-unknown"
    assert envelope.rejected


@pytest.mark.parametrize(
    ("segments", "keys"),
    [
        ("PID|1||P1^^^HIS\rMRG|P0^^^HIS", ("HIS|P1", "HIS|P0")),
        ("PID|1||P1", ("A|B|P1",)),
        ("PID|1|OLD1", ("A|B|OLD1",)),
        ("SCH|A1^HIS|F1^HIS", ("HIS|F1",)),
        ("RF1||||||R1^HIS", ("HIS|R1",)),
        ('PID|1||""', ()),
        ("ZZZ|1", ()),
    ],
)
def test_keys_are_the_patient_s_identifiers_else_those_of_the_thing(
    segments: str, keys: tuple[str, ...]
) -> None:
    assert keys_of(parse(header() + segments)) == keys


def test_very_many_identifiers_are_not_all_keys() -> None:
    many = "~".join(f"P{number}^^^HIS" for number in range(1000))
    assert len(keys_of(parse(header() + f"PID|1||{many}"))) == 16


@given(st.binary(max_size=300))
def test_any_bytes_have_an_envelope_and_an_answer(raw: bytes) -> None:
    for content in (raw, b"MSH|^~\\&|" + raw, header().encode() + raw):
        envelope = open_envelope(content, SITES, KINDS)
        assert envelope.issue is None or b"MSA" in envelope.refusal()


@pytest.mark.parametrize(("field", "place"), [("X\x1b[31m", "MSH-10"), ("1\nMSA", "MSH-10")])
def test_control_characters_in_the_names_of_a_message_are_refused(field: str, place: str) -> None:
    raw = f"MSH|^~\\&|A|B|||20260301||ADT^A08|{field}|P|2.5\rPID|1||7".encode()
    found = open_envelope(raw, Sites({DEFAULT: Site()}), {"ADT^A08"})
    assert found.rejected
    assert found.issue is not None
    assert (found.issue.message, found.issue.location) == ("validation-control-character", place)
