"""HL7 v2 text to segments and fields, and back: the inbound tokenizer.

Only delimiters are looked at here, no grammar: what a segment or field means is in
`adapters.hl7v2.mapping`, and Z-segments are segments like others. Text is decoded before it comes
here (`adapters.hl7v2.charset`), since trail bytes of GBK include delimiters. HL7 v2.9 chapter 2,
sections 2.5 (segments, fields, delimiters), 2.7 (escape sequences). Called by the inbox
and everything that reads messages.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import msgspec

from adapters.hl7v2.extent import MOST_IN_FIELD, check_merges, check_parts, check_repetitions
from hub.errors import Unprocessable, fault

DELETE = '""'
"""A field or component of two quotes: what is there is to be removed (2.5.3.1)."""

_SEGMENT_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7fA-Za-z0-9\"]|[^\x00-\x7f]")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_FORMATTING = {".br": "\n", ".sp": "\n", ".ce": "\n", ".sk": " "}
_MOST_REPEATED = 100


class Delimiters(NamedTuple):
    """How a message is written: MSH-1, MSH-2, and its charset (2.5.4).

    Attributes:
        field: Between fields.
        component: Between components.
        repetition: Between repetitions of a field.
        escape: Around escape sequences, "" when the sender has none.
        subcomponent: Between subcomponents, "" when the sender has none.
        truncation: Ends text that was cut (v2.7), "" when the sender has none.
        charset: Python's name of the charset that hexadecimal escapes are in.
    """

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""
    charset: str = "utf-8"

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return "".join(self[1:6])


STANDARD = Delimiters()


class Segment(msgspec.Struct, frozen=True):
    """One segment.

    Attributes:
        name: `PID`.
        ordinal: Its number among the segments of its name, from 1.
        fields: Raw text; `fields[n]` is field n, `fields[0]` the name. Of MSH `fields[1]` is the
            field delimiter. Fields at the end may be missing: see `field`.
        delimiters: Of its message.
    """

    name: str
    ordinal: int
    fields: list[str]
    delimiters: Delimiters

    def field(self, number: int) -> str:
        """Raw text of a field, "" when it is not there."""
        fields = self.fields
        return fields[number] if number < len(fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Raw texts of a field's repetitions, none when it is empty."""
        text = self.field(number)
        if not text:
            return []
        if number <= 2 and self.name == "MSH":
            return [text]
        return text.split(self.delimiters.repetition)

    def component(self, number: int, component: int = 1) -> str:
        """Text of a component of a field's first repetition, without escapes; "" for none."""
        repetitions = self.repetitions(number)
        if not repetitions:
            return ""
        parts = repetitions[0].split(self.delimiters.component)
        return unescape(parts[component - 1], self.delimiters) if component <= len(parts) else ""


class Message(msgspec.Struct, frozen=True):
    """One message.

    Attributes:
        delimiters: How it is written.
        segments: In their order.
        text: As it was parsed.
        by_name: The segments by their names.
    """

    delimiters: Delimiters
    segments: tuple[Segment, ...]
    text: str
    by_name: dict[str, list[Segment]]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        found = self.by_name.get(name)
        return found[0] if found else None

    def all(self, name: str) -> list[Segment]:
        """The segments of a name, in their order."""
        return self.by_name.get(name, [])

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.component(10)

    @property
    def kind(self) -> str:
        """`ADT^A01` from MSH-9; before v2.3 the trigger event may stand in EVN-1 only."""
        header = self.header
        code, event = header.component(9), header.component(9, 2)
        if not event and (segment := self.first("EVN")) is not None:
            event = segment.component(1)
        return f"{code}^{event}" if event else code

    @property
    def version(self) -> str:
        """MSH-12.1, `2.5.1`."""
        return self.header.component(12)

    @property
    def sender(self) -> str:
        """`APPLICATION|FACILITY` from the first components of MSH-3 and MSH-4."""
        header = self.header
        return f"{header.component(3)}|{header.component(4)}"


def parse(text: str, charset: str = "utf-8") -> Message:
    r"""Text of one message to segments.

    Segments end with CR; where there is no CR, with LF; an LF after a CR does not count.

    Args:
        text: From MSH on.
        charset: Python's name of the charset it came in, for `\X..\`.

    Raises:
        Unprocessable: It does not begin with MSH, its delimiters cannot be used, a line does
            not begin with the name of a segment, or it has too many parts; the location is the
            segment or field.
    """
    delimiters = read_delimiters(text, charset)
    separator = delimiters.field
    ending = "\r" if "\r" in text else "\n"
    check_parts(text.count(ending), text.count(separator))
    lines = text.split(ending)
    segments: list[Segment] = []
    by_name: dict[str, list[Segment]] = {}
    for number, line in enumerate(lines, 1):
        fields = line.split(separator)
        name = fields[0]
        known = by_name.get(name)
        if known is None:
            if not line or line.isspace():
                continue
            if name[:1] == "\n":
                name = fields[0] = name.lstrip("\n")
            if not _SEGMENT_NAME.fullmatch(name):
                raise Unprocessable(
                    fault("structure", "hl7v2-segment-name", f"line {number}", line=number)
                )
            known = by_name.setdefault(name, [])
        segment = Segment(name, len(known) + 1, fields, delimiters)
        known.append(segment)
        segments.append(segment)
    segments[0].fields.insert(1, separator)
    if len(by_name["MSH"]) > 1:
        raise Unprocessable(fault("structure", "hl7v2-several-messages", "MSH[2]"))
    check_merges(len(by_name.get("MRG", ())))
    if text.count(delimiters.repetition) > MOST_IN_FIELD:
        check_repetitions(segments, delimiters.repetition)
    return Message(delimiters, tuple(segments), text, by_name)


def read_delimiters(text: str, charset: str = "utf-8") -> Delimiters:
    """Delimiters from MSH-1 and MSH-2.

    Args:
        text: Begins with MSH.
        charset: Goes into the delimiters.

    Raises:
        Unprocessable: There is no MSH, or they cannot be told apart.
    """
    if text[:3] != "MSH":
        raise Unprocessable(fault("structure", "hl7v2-no-msh", "MSH"))
    separator = text[3:4]
    return _delimiters(separator, text[4:12].split(separator or "|", 1)[0], charset)


@lru_cache(maxsize=256)
def _delimiters(separator: str, encoding: str, charset: str) -> Delimiters:
    if not separator or _FORBIDDEN.match(separator):
        raise Unprocessable(fault("structure", "hl7v2-delimiters", "MSH-1"))
    if (
        not 1 <= len(encoding) <= 5
        or _FORBIDDEN.search(encoding)
        or len({separator, *encoding}) != len(encoding) + 1
    ):
        raise Unprocessable(fault("structure", "hl7v2-delimiters", "MSH-2"))
    # A sender that gives fewer may do without the others (2.5.4); `~` is what all repeat with.
    repetition = encoding[1:2] or ("~" if separator != "~" != encoding[0] else "\x00")
    return Delimiters(
        separator,
        encoding[0],
        repetition,
        encoding[2:3],
        encoding[3:4],
        encoding[4:5],
        charset,
    )


def components(repetition: str, delimiters: Delimiters = STANDARD) -> list[str]:
    """Raw texts of the components of one repetition, at least one."""
    return repetition.split(delimiters.component)


def unescape(text: str, delimiters: Delimiters = STANDARD) -> str:
    r"""Text without escape sequences (2.7).

    Delimiters, hexadecimal bytes in the message's charset, and line breaks of formatted text
    become characters; highlighting (`\H\`, `\N\`) goes. Everything else stays as it is written:
    `\Z..\`, other charsets (`\C..\`, `\M..\`), and what is no sequence.

    Args:
        text: One component or subcomponent.
        delimiters: Of its message.
    """
    escape = delimiters.escape
    if not escape or escape not in text:
        return text
    parts = text.split(escape)
    kept = [parts[0]]
    position, last = 1, len(parts) - 1
    while position <= last:
        meaning = _meaning(parts[position], delimiters) if position < last else None
        if meaning is None:  # The character stands for itself, and may still begin a sequence.
            kept.append(escape + parts[position])
            position += 1
        else:
            kept.append(meaning)
            kept.append(parts[position + 1])
            position += 2
    return "".join(kept)


def _meaning(sequence: str, delimiters: Delimiters) -> str | None:
    """What stands for an escape sequence; None for one that stays as it is."""
    found = _meanings(delimiters).get(sequence)
    if found is not None:
        return found
    if sequence[:1] == "X":
        return _from_hexadecimal(sequence[1:], delimiters.charset)
    count = sequence[3:].strip()
    if sequence[:3] in _FORMATTING and count.removeprefix("+").isdecimal():
        return _FORMATTING[sequence[:3]] * min(int(count[:4]), _MOST_REPEATED)
    return None


@lru_cache(maxsize=256)
def _meanings(delimiters: Delimiters) -> dict[str, str]:
    known = {
        "F": delimiters.field,
        "S": delimiters.component,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "T": delimiters.subcomponent or "&",
        "H": "",
        "N": "",
        **_FORMATTING,
    }
    if delimiters.truncation:
        known["P"] = delimiters.truncation
    return known


def _from_hexadecimal(digits: str, charset: str) -> str | None:
    try:
        text = bytes.fromhex(digits).decode(charset)
    except ValueError:
        return None
    return None if not text or _UNREADABLE.search(text) else text


def escape(text: str, delimiters: Delimiters = STANDARD) -> str:
    r"""Text with escape sequences where it has delimiters and line breaks.

    The reverse of `unescape` for all text that has no control characters but line breaks, which
    become `\.br\`. Where the sender has no escape character, delimiters become spaces.

    Args:
        text: A value.
        delimiters: Of the message it goes into.
    """
    return text.translate(_escapes(delimiters))


@lru_cache(maxsize=256)
def _escapes(delimiters: Delimiters) -> dict[int, str]:
    sign = delimiters.escape
    names = {
        delimiters.field: "F",
        delimiters.component: "S",
        delimiters.repetition: "R",
        delimiters.subcomponent: "T",
        delimiters.escape: "E",
        delimiters.truncation: "P",
        "\n": ".br",
    }
    table: dict[int, str] = {
        ord(character): f"{sign}{name}{sign}" if sign else " "
        for character, name in names.items()
        if character
    }
    table[ord("\r")] = ""
    return table
