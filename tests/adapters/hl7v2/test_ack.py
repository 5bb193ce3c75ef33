"""Acknowledgements: mode, charset, delimiters and version of whoever is answered."""

from __future__ import annotations

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.ack import acknowledge, header_of, lenient_header
from adapters.hl7v2.message import parse
from hub.errors import Issue, fault

WRONG = fault("value", "hl7v2-segment-name", "OBX[3]-5[2].1", line=3)


def message(
    version: str = "2.5.1", accept: str = "", work: str = "", charset: str = "", country: str = ""
) -> str:
    return (
        f"MSH|^~\\&|HIS^1.2^ISO|CENTRAL|HUB|CLINIC|20260301||ADT^A01^ADT_A01|M-7|T|{version}|||"
        f"{accept}|{work}|{country}|{charset}\rPID|1\r"
    )


def answered(text: str, code: str = "AA", issue: Issue | None = None) -> list[list[str]]:
    header = header_of(parse(text), "utf-8")
    raw = acknowledge(header, code, () if issue is None else (issue,))  # type: ignore[arg-type]
    assert raw.endswith(b"\r")
    return [line.split("|") for line in raw.decode().rstrip("\r").split("\r")]


def test_an_answer_goes_back_where_the_message_came_from() -> None:
    header, answer = answered(message(charset="UNICODE UTF-8"))
    assert header[:6] == ["MSH", "^~\\&", "HUB", "CLINIC", "HIS^1.2^ISO", "CENTRAL"]
    assert header[8] == "ACK^A01^ACK"
    assert header[10:12] == ["T", "2.5.1"]
    assert header[17] == "UNICODE UTF-8"
    assert answer == ["MSA", "AA", "M-7"]
    assert header[9] != answered(message())[0][9]
    assert hl7.parse("\r".join("|".join(line) for line in (header, answer))).segment("MSA")[1]


def test_the_stamp_has_the_site_s_offset() -> None:
    header = header_of(parse(message()), "ascii")
    stamp = acknowledge(header, "AA", zone="Asia/Tokyo").split(b"|")[6]
    assert stamp.endswith(b"+0900")
    assert len(stamp) == 19


def test_since_version_2_5_an_error_has_its_place_code_and_words() -> None:
    error = answered(message(), "AE", WRONG)[2]
    assert error[:5] == ["ERR", "", "OBX^3^5^2^1", "100^Segment sequence error^HL70357", "E"]
    assert error[7] == "hl7v2-segment-name"
    assert error[8].startswith("Line 3 does not begin")


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.3.1", "2.4"])
def test_before_version_2_5_the_words_are_in_msa_3(version: str) -> None:
    header, answer, error = answered(message(version), "AE", WRONG)
    assert header[8] == ("ACK^A01^ACK" if version in ("2.3.1", "2.4") else "ACK")
    assert answer[3].startswith("Line 3 does not begin")
    assert error == ["ERR", "OBX^3^5^100&Segment sequence error&HL70357"]


@pytest.mark.parametrize(
    ("place", "location"),
    [
        ("PID", "PID^1"),
        ("PID-3", "PID^1^3^1"),
        ("PID-3.4.1", "PID^1^3^1^4^1"),
        ("NK1[2]-5[3]", "NK1^2^5^3"),
        ("line 3", ""),
        ("", ""),
    ],
)
def test_places_become_error_locations(place: str, location: str) -> None:
    assert answered(message(), "AE", fault("required", "hl7v2-no-msh", place))[2][2] == location


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        (fault("not-supported", "hl7v2-type-unknown"), "200"),
        (fault("not-supported", "hl7v2-event-unknown", type="ADT"), "201"),
        (fault("not-supported", "hl7v2-processing-id"), "202"),
        (fault("not-supported", "hl7v2-version-unknown"), "203"),
        (fault("required", "hl7v2-field-required", field="PID-3"), "101"),
        (fault("exception", "hl7v2-unexpected"), "207"),
    ],
)
def test_errors_have_the_codes_of_table_0357(issue: Issue, code: str) -> None:
    assert answered(message(), "AR", issue)[2][3].startswith(code + "^")


def test_chinese_senders_are_told_in_chinese_where_their_charset_has_it() -> None:
    header = header_of(parse(message(country="CHN", charset="GB18030")), "gb18030")
    assert "段" in acknowledge(header, "AE", (WRONG,)).decode("gb18030")
    header = header_of(parse(message(country="CHN")), "ascii")
    assert b"Line 3 does not begin" in acknowledge(header, "AE", (WRONG,))


def test_the_sender_s_delimiters_are_used() -> None:
    text = "MSH#:*!%#OLD:A#X#HUB#C#1998##ADT:A04#1!T!#P#2.5\rPID#1"
    raw = acknowledge(header_of(parse(text), "ascii"), "AE", (WRONG,)).decode()
    assert raw.startswith("MSH#:*!%#HUB#C#OLD:A#X#")
    assert "\rMSA#AE#1!T!\r" in raw
    assert "ERR##OBX:3:5:2:1#100:" in raw


def test_the_mode_is_what_msh_15_and_16_say() -> None:
    original = header_of(parse(message()), "ascii")
    assert not original.enhanced
    assert not original.wants_accept(True)
    assert original.wants_work(True)
    assert original.wants_work(False)
    enhanced = header_of(parse(message(accept="ER", work="SU")), "ascii")
    assert enhanced.enhanced
    assert [enhanced.wants_accept(good) for good in (True, False)] == [False, True]
    assert [enhanced.wants_work(good) for good in (True, False)] == [True, False]
    half = header_of(parse(message(accept="AL")), "ascii")
    assert [half.wants_accept(False), half.wants_work(True)] == [True, False]


def test_what_is_no_condition_is_as_if_nothing_were_said() -> None:
    header = header_of(parse(message(accept="2.5", work="x")), "ascii")
    assert not header.enhanced
    assert header.wants_work(True)


def test_what_cannot_be_decoded_is_answered_with_its_own_bytes() -> None:
    raw = b"MSH|^~\\&|\xbe\xa9|C|HUB|F|2||ADT^A01|N\xff7|P|2.5|||||CHN|GB18030\rPID|\xff"
    answer = acknowledge(lenient_header(raw), "AE", (WRONG,))
    assert b"|\xbe\xa9|C|" in answer
    assert b"\rMSA|AE|N\xff7\r" in answer


@given(st.binary(max_size=200))
def test_everything_can_be_answered(raw: bytes) -> None:
    for content in (raw, b"MSH|^~\\&|" + raw, b"MSH" + raw):
        header = lenient_header(content)
        answer = acknowledge(header, "AR", (WRONG,))
        lines = answer.decode(header.codec).split("\r")
        assert lines[0].startswith("MSH" + header.delimiters.field)
        assert lines[1].startswith(f"MSA{header.delimiters.field}AR")
        assert len(answer) < 20_000
