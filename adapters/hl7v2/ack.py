"""Acknowledgements: what a sender is told, in its charset and with its delimiters.

Original mode answers once, after the work (AA, AE, AR); in enhanced mode MSH-15 asks for an answer
when the message is safe (CA, CE, CR) and MSH-16 for one after the work. HL7 v2.9 chapter 2,
sections 2.9 (processing rules), 2.14.1 (ACK), 2.14.5 (ERR), 2.14.9 (MSA); ERR is written as the
sender's version has it. An ERR names the place, never a value. Called by the inbox, the
envelope, and what works on messages.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from adapters.hl7v2.charset import fits
from adapters.hl7v2.message import STANDARD, Delimiters, Message, escape, read_delimiters
from hub.errors import HubError, Issue
from hub.messages import render

Code = Literal["AA", "AE", "AR", "CA", "CE", "CR"]

_CONDITIONS = frozenset(("AL", "NE", "ER", "SU"))
"""HL7 table 0155: always, never, on errors, on success."""

_LONGEST_ECHO = 1000
_MOST_ERRORS = 20
_CHINESE_COUNTRIES = frozenset(("CHN", "CN"))
_PLACE = re.compile(
    r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?)?"
)
_SEVERITIES = {"fatal": "F", "error": "E", "warning": "W", "information": "I"}

# HL7 table 0357 by the ids of messages, else by the issue's code.
_ERRORS: dict[str, tuple[str, str]] = {
    "hl7v2-segment-name": ("100", "Segment sequence error"),
    "hl7v2-no-msh": ("100", "Segment sequence error"),
    "hl7v2-several-messages": ("100", "Segment sequence error"),
    "hl7v2-charset-unknown": ("103", "Table value not found"),
    "hl7v2-type-unknown": ("200", "Unsupported message type"),
    "hl7v2-event-unknown": ("201", "Unsupported event code"),
    "hl7v2-processing-id": ("202", "Unsupported processing id"),
    "hl7v2-version-unknown": ("203", "Unsupported version id"),
    "required": ("101", "Required field missing"),
    "structure": ("102", "Data type error"),
    "value": ("102", "Data type error"),
    "invariant": ("102", "Data type error"),
    "code-invalid": ("103", "Table value not found"),
    "too-long": ("104", "Value too long"),
    "not-supported": ("200", "Unsupported message type"),
    "not-found": ("204", "Unknown key identifier"),
    "duplicate": ("205", "Duplicate key identifier"),
    "conflict": ("206", "Application record locked"),
    "lock-error": ("206", "Application record locked"),
}
_OTHER = ("207", "Application internal error")


class Header(NamedTuple):
    """What of MSH an answer is made from, as it was written there.

    Attributes:
        delimiters: Of the message.
        codec: Charset of the answer.
        application, facility: MSH-3, MSH-4.
        to_application, to_facility: MSH-5, MSH-6.
        kind: `ADT^A01`.
        control_id: MSH-10.
        processing: MSH-11.
        version: MSH-12.1.
        accept: MSH-15, a code of table 0155 or "".
        work: MSH-16, the same.
        country, language: MSH-17.1, MSH-19.1.
        charset: MSH-18.
    """

    delimiters: Delimiters = STANDARD
    codec: str = "ascii"
    application: str = ""
    facility: str = ""
    to_application: str = ""
    to_facility: str = ""
    kind: str = ""
    control_id: str = ""
    processing: str = "P"
    version: str = "2.5.1"
    accept: str = ""
    work: str = ""
    country: str = ""
    language: str = ""
    charset: str = ""

    @property
    def enhanced(self) -> bool:
        """Whether the sender asks for enhanced acknowledgement (2.9.3)."""
        return bool(self.accept or self.work)

    def wants_accept(self, good: bool) -> bool:
        """Whether an answer is due when the message is safe, or cannot be taken."""
        return self.enhanced and _due(self.accept, good)

    def wants_work(self, good: bool) -> bool:
        """Whether an answer is due when the work is done, or has failed."""
        return not self.enhanced or _due(self.work, good)

    @property
    def sender(self) -> str:
        """`APPLICATION|FACILITY`, their first components."""
        return f"{self._first(self.application)}|{self._first(self.facility)}"

    def _first(self, text: str) -> str:
        return text.split(self.delimiters.component, 1)[0]


def _due(condition: str, good: bool) -> bool:
    return condition == "AL" or condition == ("SU" if good else "ER")


def _condition(text: str) -> str:
    """MSH-15 or MSH-16; what is none of the table is not said, or nobody would be answered."""
    return text if text in _CONDITIONS else ""


def header_of(message: Message, codec: str) -> Header:
    """What an answer to a message is made from."""
    segment = message.header
    field = segment.field
    return Header(
        message.delimiters,
        codec,
        field(3)[:_LONGEST_ECHO],
        field(4)[:_LONGEST_ECHO],
        field(5)[:_LONGEST_ECHO],
        field(6)[:_LONGEST_ECHO],
        message.kind,
        field(10)[:_LONGEST_ECHO],
        field(11)[:_LONGEST_ECHO],
        segment.component(12),
        _condition(segment.component(15)),
        _condition(segment.component(16)),
        segment.component(17),
        segment.component(19),
        field(18)[:_LONGEST_ECHO],
    )


def lenient_header(raw: bytes) -> Header:
    """The same from bytes that are no message that can be read, as far as it goes.

    The fields' bytes come back as they were, whatever charset they are in.
    """
    start = raw.find(b"MSH")
    if not 0 <= start <= 8:
        return Header()
    text = re.split(b"[\r\n]", raw[start : start + 20 * _LONGEST_ECHO], maxsplit=1)[0].decode(
        "iso8859-1"
    )
    try:
        delimiters = read_delimiters(text)
    except HubError:
        return Header()
    fields = [part[:_LONGEST_ECHO] for part in text.split(delimiters.field)[1:22]]
    fields += [""] * (22 - len(fields))

    def first(number: int) -> str:
        return fields[number - 2].split(delimiters.component, 1)[0]

    return Header(
        delimiters,
        "iso8859-1",
        fields[1],
        fields[2],
        fields[3],
        fields[4],
        kind=delimiters.component.join(fields[7].split(delimiters.component)[:2]),
        control_id=fields[8],
        processing=fields[9],
        version=first(12),
        accept=_condition(first(15)),
        work=_condition(first(16)),
        country=first(17),
        language=first(19),
        charset=fields[16],
    )


def acknowledge(
    header: Header, code: Code, issues: Sequence[Issue] = (), *, zone: str = "Asia/Shanghai"
) -> bytes:
    """An acknowledgement's bytes, without framing.

    Args:
        header: Of what is answered.
        code: Outcome.
        issues: What is wrong; `location` is a place in the message (`PID-3.1`, `OBX[3]-5[2].1`,
            "" for all of it).
        zone: Of the stamp in MSH-7.
    """
    delimiters = header.delimiters
    separator, version = delimiters.field, header.version or "2.5.1"
    parts = _version(version)
    codec = header.codec
    segments = [
        separator.join(
            (
                "MSH",
                delimiters.encoding,
                header.to_application,
                header.to_facility,
                header.application,
                header.facility,
                _stamp(zone),
                "",
                _answer_type(header, parts),
                secrets.token_hex(8),
                header.processing or "P",
                escape(version, delimiters),
                *(("", "", "", "", "", header.charset) if header.charset else ()),
            )
        )
    ]
    answer = ["MSA", code, header.control_id]
    told = issues[:_MOST_ERRORS]
    if told and parts < (2, 5):
        answer.append(escape(_words(told[0], header, codec), delimiters)[:80])
    segments.append(separator.join(answer))
    write = _error_segment if parts >= (2, 5) else _old_error_segment
    segments += [write(issue, header, codec) for issue in told]
    segments.append("")
    return "\r".join(segments).encode(codec, "strict")


def _answer_type(header: Header, version: tuple[int, ...]) -> str:
    code, _, event = header.kind.partition("^")
    if version < (2, 3, 1) or not event or not code:
        return "ACK"
    return header.delimiters.component.join(("ACK", escape(event, header.delimiters), "ACK"))


@lru_cache(maxsize=256)
def _version(text: str) -> tuple[int, ...]:
    """`2.5.1` as numbers; what is none is as new as can be."""
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else (99,)


def _stamp(zone: str) -> str:
    now = datetime.now(UTC).astimezone(_zone(zone))
    return f"{now:%Y%m%d%H%M%S%z}"


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _words(issue: Issue, header: Header, codec: str) -> str:
    chinese = header.country in _CHINESE_COUNTRIES or header.language[:2].lower() == "zh"
    if chinese:
        text = render(issue.message, issue.arguments, "zh")
        if fits(text, codec):
            return text
    text = render(issue.message, issue.arguments)
    return text if fits(text, codec) else issue.message


def _error(issue: Issue) -> tuple[str, str]:
    return _ERRORS.get(issue.message) or _ERRORS.get(issue.code, _OTHER)


def _location(issue: Issue) -> list[str]:
    """ERL: segment, its ordinal, field, repetition, component, subcomponent."""
    found = _PLACE.match(issue.location)
    if found is None:
        return []
    segment, ordinal, field, repetition, component, subcomponent = found.groups()
    place = [segment, ordinal or "1"]
    if field:
        place += [field, repetition or "1"]
        if component:
            place += [component, *([subcomponent] if subcomponent else [])]
    return place


def _error_segment(issue: Issue, header: Header, codec: str) -> str:
    """ERR since v2.5: ERR-2 where, ERR-3 what, ERR-4 how bad, ERR-7 and ERR-8 in words."""
    delimiters = header.delimiters
    code, text = _error(issue)
    return delimiters.field.join(
        (
            "ERR",
            "",
            delimiters.component.join(_location(issue)),
            delimiters.component.join((code, text, "HL70357")),
            _SEVERITIES[issue.severity],
            "",
            "",
            escape(issue.message, delimiters),
            escape(_words(issue, header, codec), delimiters)[:250],
        )
    )


def _old_error_segment(issue: Issue, header: Header, codec: str) -> str:
    """ERR before v2.5: ERR-1 has segment, ordinal, field and what."""
    delimiters = header.delimiters
    code, text = _error(issue)
    place = [*_location(issue), "", "", ""][:3]
    inner = delimiters.subcomponent or " "
    what = inner.join((code, text, "HL70357"))
    return delimiters.field.join(("ERR", delimiters.component.join((*place, what))))
