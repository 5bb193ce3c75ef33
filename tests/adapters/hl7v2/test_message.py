"""Text to segments and back: delimiters, escapes, odd line ends, and hl7apy as the oracle."""

from __future__ import annotations

import hl7apy
import pytest
from hl7apy.parser import parse_message
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.message import (
    STANDARD,
    Delimiters,
    Message,
    components,
    escape,
    parse,
    read_delimiters,
    unescape,
)
from hub.errors import HubError, Unprocessable
from tests.adapters.hl7v2.own_messages import case, names

HEADER = "MSH|^~\\&|HIS|CENTRAL|HUB|CLINIC|20260301080000||ADT^A01^ADT_A01|7|P|2.5"
PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"))


def test_fields_are_counted_as_the_standard_counts_them() -> None:
    message = parse(f"{HEADER}\rPID|1||P1^^^HIS~P2^^^NID||Zhang^San\r")
    header, patient = message.segments
    assert [header.field(number) for number in range(5)] == ["MSH", "|", "^~\\&", "HIS", "CENTRAL"]
    assert header.repetitions(2) == ["^~\\&"]
    assert (message.kind, message.control_id, message.version) == ("ADT^A01", "7", "2.5")
    assert message.sender == "HIS|CENTRAL"
    assert patient.repetitions(3) == ["P1^^^HIS", "P2^^^NID"]
    assert patient.component(5, 2) == "San"
    assert patient.field(30) == ""
    assert patient.repetitions(30) == []
    assert patient.component(5, 9) == ""


def test_segments_of_one_name_are_numbered() -> None:
    message = parse(f"{HEADER}\rOBX|1\rNTE|1\rOBX|2")
    assert [(one.name, one.ordinal) for one in message.segments[1:]] == [
        ("OBX", 1),
        ("NTE", 1),
        ("OBX", 2),
    ]
    assert [one.field(1) for one in message.all("OBX")] == ["1", "2"]
    assert message.first("PV1") is None
    assert message.all("PV1") == []


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r"])
def test_segments_end_with_any_line_end(end: str) -> None:
    message = parse(end.join((HEADER, "PID|1", "PV1|1", "")))
    assert [one.name for one in message.segments] == ["MSH", "PID", "PV1"]


def test_a_line_feed_within_a_field_stays_where_segments_end_with_cr() -> None:
    message = parse(f"{HEADER}\rOBX|1|TX|||first\nsecond\r")
    assert message.segments[1].field(5) == "first\nsecond"


def test_other_delimiters_are_the_message_s_own() -> None:
    message = parse("MSH#:*!%#OLD#X#HUB#C#1998##ADT:A04#1#P#2.3\rPID#1##A!T!1:::B%C")
    assert message.kind == "ADT^A04"
    assert message.delimiters.encoding == ":*!%"
    patient = message.segments[1]
    assert patient.component(3) == "A%1"
    assert patient.delimiters.subcomponent == "%"
    assert components(patient.field(3), patient.delimiters)[3] == "B%C"


def test_a_sender_without_escapes_is_understood() -> None:
    message = parse("MSH|^~|A|B|C|D|1||ADT^A01|1|P|2.3\rPID|1||a\\T\\b&c")
    text = message.segments[1].field(3)
    assert unescape(text, message.delimiters) == text
    assert message.delimiters.subcomponent == ""


def test_the_trigger_event_may_stand_in_evn_only() -> None:
    assert parse("MSH|^~\\&|A|B|C|D|1||ADT|1|P|2.2\rEVN|A08").kind == "ADT^A08"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "MSH"),
        ("PID|1", "MSH"),
        ("MSH", "MSH-1"),
        ("MSHA^~\\&|", "MSH-1"),
        ("MSH|", "MSH-2"),
        ("MSH|^^\\&|A", "MSH-2"),
        ("MSH|^~\\|&|A", ""),
        ("MSH|abcd|A", "MSH-2"),
        ("MSH|^~\\&#$|A", "MSH-2"),
        (f"{HEADER}\rtext that goes on", "line 2"),
        (f"{HEADER}\rPID|1\r{HEADER}", "MSH[2]"),
    ],
)
def test_what_is_no_message_is_refused_with_the_place(text: str, place: str) -> None:
    if not place:  # Fewer delimiters are fine.
        assert parse(text).delimiters.subcomponent == ""
        return
    with pytest.raises(Unprocessable) as refused:
        parse(text)
    assert refused.value.issues[0].location == place


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\T\b\F\c\S\d\R\e\E\f", r"a&b|c^d~e\f"),
        (r"\X41\\X0D0A\ ", "A\r\n "),
        (r"\XE4B8AD\ ", "中 "),
        (r"\X00\\XFF\\XZZ\ ", r"\X00\\XFF\\XZZ\ "),
        (r"first\.br\second\.sp2\third", "first\nsecond\n\nthird"),
        (r"a\.sk3\b\.in+4\c", r"a   b\.in+4\c"),
        (r"\H\bold\N\ ", "bold "),
        (r"\Zxx\ \C2842\ \M2442\ ", r"\Zxx\ \C2842\ \M2442\ "),
        (r"C:\temp", r"C:\temp"),
        (r"C:\temp\F\x", r"C:\temp|x"),
        ("\\", "\\"),
        (r"\P\ ", r"\P\ "),
        (r"\.sp999999999\ ", "\n" * 100 + " "),
    ],
)
def test_escape_sequences_are_read(written: str, meant: str) -> None:
    assert unescape(written) == meant


def test_the_truncation_character_has_its_sequence_where_there_is_one() -> None:
    delimiters = read_delimiters("MSH|^~\\&#|A")
    assert delimiters.truncation == "#"
    assert unescape(r"a\P\b", delimiters) == "a#b"
    assert escape("a#b", delimiters) == r"a\P\b"


def test_hexadecimal_bytes_are_in_the_message_s_charset() -> None:
    message = parse(f"{HEADER}\rPID|1||\\XD6D0\\", "gb18030")
    assert message.segments[1].component(3) == "中"


@given(PLAIN)
def test_what_is_escaped_comes_back(text: str) -> None:
    escaped = escape(text)
    assert not set("|^~&\r\n") & set(escaped)
    assert unescape(escaped) == text


@given(
    PLAIN,
    st.sampled_from(["|^~\\&", "#:*!%", "$^~\\&", "|^~\\&#"]),
)
def test_what_is_escaped_comes_back_with_any_delimiters(text: str, delimiters: str) -> None:
    own = read_delimiters(f"MSH{delimiters}{delimiters[0]}A")
    assert unescape(escape(text, own), own) == text


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    for written in (text, HEADER + "\r" + text, "MSH|^~\\&|" + text):
        try:
            message = parse(written)
        except HubError:
            continue
        for segment in message.segments:
            for number in range(len(segment.fields) + 1):
                for repetition in segment.repetitions(number):
                    for component in components(repetition, message.delimiters):
                        unescape(component, message.delimiters)


@given(st.lists(st.lists(st.text("ab ^~&\\", max_size=8), min_size=1, max_size=6), max_size=5))
def test_segments_joined_again_are_the_message(rows: list[list[str]]) -> None:
    lines = ["|".join([f"ZZ{number}", *fields]) for number, fields in enumerate(rows)]
    message = parse("\r".join((HEADER, *lines)))
    assert ["|".join(one.fields) for one in message.segments[1:]] == lines


def test_delimiters_are_those_of_hl7_unless_said_otherwise() -> None:
    assert Delimiters() == STANDARD == read_delimiters(HEADER)


def _as_hl7apy_writes(text: str, delimiters: Delimiters) -> str:
    """hl7apy drops empty parts at the end and leading zeros, and escapes escapes once more."""
    parts = [
        delimiters.subcomponent.join(
            one.lstrip("0") for one in component.split(delimiters.subcomponent)
        ).rstrip(delimiters.subcomponent)
        for component in text.replace(r"\E" + "\\", "\\").split(delimiters.component)
    ]
    return delimiters.component.join(parts).rstrip(delimiters.component)


@pytest.mark.parametrize("name", names())
def test_hl7apy_finds_the_same_fields(name: str) -> None:
    text = case(name).raw.decode(case(name).charset)
    message = parse(text)
    if message.version not in hl7apy.SUPPORTED_LIBRARIES:
        pytest.skip(f"hl7apy does not know version {message.version}")
    theirs = parse_message(text, find_groups=False)
    assert [one.name for one in theirs.children] == [one.name for one in message.segments]
    for segment, other in zip(message.segments[1:], theirs.children[1:], strict=True):
        ours = [
            (number, _as_hl7apy_writes(repetition, message.delimiters))
            for number in range(1, len(segment.fields))
            for repetition in segment.repetitions(number)
        ]
        found = [
            (int(field.name.rpartition("_")[2]), field.to_er7(message_delimiters(message)))
            for field in other.children
            if field.name
        ]
        found = [(one, _as_hl7apy_writes(text, message.delimiters)) for one, text in found]
        # It knows fields up to its version only, and drops components that a type has not.
        known = {number for number, _ in found} - ({7, 8} if segment.name == "ORC" else set())
        assert [one for one in ours if one[1] and one[0] in known] == [
            one for one in found if one[1] and one[0] in known
        ], segment.name


def message_delimiters(message: Message) -> dict[str, str]:
    """As hl7apy names them."""
    own = message.delimiters
    return {
        "FIELD": own.field,
        "COMPONENT": own.component,
        "REPETITION": own.repetition,
        "ESCAPE": own.escape,
        "SUBCOMPONENT": own.subcomponent,
    }
