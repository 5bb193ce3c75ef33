"""What is known of a message from the outside: its site, its text, what it must keep order with.

Here it is decided whether a message can be worked on at all. What it says is not looked at.
HL7 v2.9 chapter 2, section 2.9.2.1 (accept or reject by MSH). Called by the inbox, when work is
taken up again, and by `fhir-hub v2`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Set
from dataclasses import dataclass

from adapters.hl7v2.ack import Code, Header, acknowledge, header_of, lenient_header
from adapters.hl7v2.charset import DETECT, codecs_of, decode
from adapters.hl7v2.message import Message, Segment, components, parse, unescape
from adapters.hl7v2.sites import Site, Sites
from hub.errors import HubError, Issue, fault

VERSIONS = frozenset(f"2.{minor}" for minor in range(1, 10)) | frozenset(
    ("2.3.1", "2.5.1", "2.7.1", "2.8.1", "2.8.2", "2.9.1")
)
LARGE = 64 * 1024
"""Bytes from which a message is no longer read on the event loop: about 4 ms."""

_PROCESSING = frozenset("PTD")
_REQUIRED = (9, 10, 12)
_NAMES = (3, 4, 9, 10)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_KEYS = 16
_LONGEST_KEY = 200
_LONGEST_CONTROL_ID = 199

# Whose messages keep their order: those of a patient; where none is named, of the same thing.
_PATIENT = (("PID", 3), ("MRG", 1))
_OLD_PATIENT = (("PID", 2), ("PID", 4), ("MRG", 4))
_THINGS = (("SCH", 2), ("SCH", 1), ("RF1", 6), ("RF1", 11), ("TXA", 12), ("ORC", 2), ("OBR", 2))


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message before it is worked on.

    Attributes:
        site: Whose rules hold.
        header: For answers.
        message: Its text; None when it cannot be read.
        keys: What it must keep its order with.
        issue: Why it cannot be worked on; None when it can.
        rejected: It is none of ours (AR, CR); else it is faulty (AE, CE).
    """

    site: Site
    header: Header
    message: Message | None = None
    keys: tuple[str, ...] = ()
    issue: Issue | None = None
    rejected: bool = False

    @property
    def control_id(self) -> str:
        """MSH-10, "" when it cannot be read."""
        return self.header.control_id[:_LONGEST_CONTROL_ID]

    def refusal(self) -> bytes:
        """The answer to a message that cannot be worked on, in the sender's mode."""
        enhanced = self.header.enhanced
        code: Code = ("CR" if enhanced else "AR") if self.rejected else "CE" if enhanced else "AE"
        issues = () if self.issue is None else (self.issue,)
        return acknowledge(self.header, code, issues, zone=self.site.zone)


def open_envelope(raw: bytes, sites: Sites, kinds: Set[str]) -> Envelope:
    """Look at a message from the outside.

    Args:
        raw: As it came, without framing.
        sites: All of them.
        kinds: What can be worked on, `ADT^A01`.
    """
    raw = raw.lstrip(b"\r\n \t")
    site = site_of(raw, sites)
    known = site or sites.default
    try:
        decoded = decode(raw, setting=known.charset, zone=known.zone, believe=known.believe_charset)
        message = parse(decoded.text, decoded.codec)
    except HubError as error:
        return Envelope(known, lenient_header(raw), issue=error.issues[0])
    header = header_of(message, decoded.codec)
    if site is None:
        issue = fault("security", "hl7v2-sender-unknown", "MSH-3")
        return Envelope(known, header, message, issue=issue, rejected=True)
    issue_of_header = _check_header(message, kinds)
    if issue_of_header is not None:
        return Envelope(site, header, message, issue=issue_of_header, rejected=True)
    return Envelope(site, header, message, keys_of(message))


async def open_beside(raw: bytes, sites: Sites, kinds: Set[str]) -> Envelope:
    """`open_envelope`; a large message is read beside the event loop."""
    if len(raw) < LARGE:
        return open_envelope(raw, sites, kinds)
    return await asyncio.to_thread(open_envelope, raw, sites, kinds)


def site_of(raw: bytes, sites: Sites) -> Site | None:
    """The sender's site, which may tell in which charset the sender's name is written."""
    line = re.split(b"[\r\n]", raw[:65_536], maxsplit=1)[0]
    if line.isascii():
        return sites.of(lenient_header(line).sender)
    for site in sites.named.values():
        for codec in () if site.charset == DETECT else codecs_of(site.charset) or ():
            found = _sender(line, codec)
            if found and sites.of(found) is site and found in site.sender:
                return site
    try:
        codec = decode(raw, zone=sites.default.zone).codec
    except HubError:
        codec = "iso8859-1"
    return sites.of(_sender(line, codec))


def _sender(line: bytes, codec: str) -> str:
    try:
        return parse(line.decode(codec)).sender
    except (UnicodeDecodeError, HubError):
        return ""


def _check_header(message: Message, kinds: Set[str]) -> Issue | None:
    """Why MSH says that the message is none for us."""
    header = message.header
    for number in _REQUIRED:
        if not header.component(number):
            place = f"MSH-{number}"
            return fault("required", "hl7v2-field-required", place, field=place)
    for number in _NAMES:
        if _CONTROL.search(header.field(number)):
            place = f"MSH-{number}"
            return fault("value", "validation-control-character", place)
    if len(header.field(10)) > _LONGEST_CONTROL_ID:
        return fault("too-long", "hl7v2-control-id-long", "MSH-10", limit=_LONGEST_CONTROL_ID)
    if message.version not in VERSIONS:
        return fault("not-supported", "hl7v2-version-unknown", "MSH-12")
    processing = header.component(11)
    if processing and processing not in _PROCESSING:
        return fault("not-supported", "hl7v2-processing-id", "MSH-11")
    kind = message.kind
    if kind in kinds or is_acknowledgement(message):
        return None
    code = kind.partition("^")[0]
    if any(one.partition("^")[0] == code for one in kinds):
        return fault("not-supported", "hl7v2-event-unknown", "MSH-9.2", type=code)
    return fault("not-supported", "hl7v2-type-unknown", "MSH-9.1")


def is_acknowledgement(message: Message) -> bool:
    """Whether it is an answer to a message of ours that came as a message of its own (2.9.3)."""
    return message.kind.partition("^")[0] == "ACK" and message.first("MSA") is not None


def keys_of(message: Message) -> tuple[str, ...]:
    """What a message must keep its order with: identifiers with their authority.

    Without an authority an identifier is the sender's own.
    """
    for places in (_PATIENT, _OLD_PATIENT, *((place,) for place in _THINGS)):
        keys = [
            key
            for name, number in places
            for segment in message.all(name)[:_MOST_KEYS]
            for key in _keys_in(segment, number, message.sender)
        ]
        if keys:
            return tuple(dict.fromkeys(keys))[:_MOST_KEYS]
    return ()


def _keys_in(segment: Segment, number: int, sender: str) -> list[str]:
    delimiters = segment.delimiters
    found = []
    for repetition in segment.repetitions(number):
        parts = components(repetition, delimiters)
        value = unescape(parts[0], delimiters).strip()
        if value and value != '""':
            # CX has its authority in the fourth component, EI (orders, documents) in the second.
            place = 3 if segment.name in ("PID", "MRG") else 1
            authority = parts[place].strip() if len(parts) > place else ""
            found.append(f"{authority or sender}|{value}"[:_LONGEST_KEY])
    return found
