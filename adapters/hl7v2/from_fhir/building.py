r"""Segments as data to the text and the bytes of a message.

What the receiver's version does not know is left out: fields, components, repetitions. Delimiters
and line breaks are escaped; a character that the receiver's charset lacks refuses the message, or
is written as the hexadecimal bytes of its UTF-8 (`\X..\`) where its site says so, never as
another character. HL7 v2.5 chapter 2, sections 2.5.5, 2.7, 2.15.9. Called by
`adapters.hl7v2.outbox`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7v2.charset import codecs_of, fits
from adapters.hl7v2.from_fhir.grammar import Layout, fields_of
from adapters.hl7v2.from_fhir.shape import Component, Parts, Repetition, Segment
from adapters.hl7v2.message import escape
from hub.errors import Unprocessable, fault

_CONTROLS = {code: " " if code == 9 else "" for code in range(32) if code != 10} | {127: ""}
_DELIMITERS = r"^~\&"


@dataclass(frozen=True, slots=True)
class MessageHeader:
    """What MSH says of a message.

    Attributes:
        sender: MSH-3 and MSH-4.
        receiver: MSH-5 and MSH-6.
        time: MSH-7.
        type: MSH-9.1, `ADT`.
        trigger: MSH-9.2, `A01`.
        structure: MSH-9.3, `ADT_A01`.
        control_id: MSH-10.
        version: MSH-12, `2.5.1`.
        charset: MSH-18, a name of table 0211.
        acknowledge: MSH-15 and MSH-16 ask for both acknowledgements.
        processing: MSH-11.
    """

    sender: tuple[str, str]
    receiver: tuple[str, str]
    time: str
    type: str
    trigger: str
    structure: str
    control_id: str
    version: str = "2.5.1"
    charset: str = "UNICODE UTF-8"
    acknowledge: bool = False
    processing: str = "P"


def build(header: MessageHeader, parts: Parts, *, hexadecimal: bool = False) -> bytes:
    """The bytes of a message, without framing.

    Args:
        header: For MSH.
        parts: What follows MSH.
        hexadecimal: Characters that the charset lacks are escaped; else they refuse the message.

    Raises:
        Unprocessable: The charset lacks a character; the location is the segment and field.
    """
    codec = (codecs_of(header.charset) or ("utf-8",))[0]
    lines = [(_msh(header), "MSH")]
    counts: dict[str, int] = {}
    for segment in flat(parts):
        layouts = fields_of(segment.name, header.version)
        if layouts is None:
            continue
        counts[segment.name] = ordinal = counts.get(segment.name, 0) + 1
        lines.append((_segment(segment, layouts), f"{segment.name}[{ordinal}]"))
    try:
        return "".join([f"{line}\r" for line, _ in lines]).encode(codec)
    except UnicodeEncodeError:
        return b"".join([_encoded(line, place, codec, hexadecimal) for line, place in lines])


def flat(parts: Parts) -> Iterator[Segment]:
    """The segments in their order, out of their groups."""
    for part in parts:
        if isinstance(part, Segment):
            yield part
        else:
            yield from flat(part.parts)


def _msh(header: MessageHeader) -> str:
    asked = "AL" if header.acknowledge else ""
    kind = [header.type, header.trigger, header.structure]
    fields = [
        *map(_text, (*header.sender, *header.receiver, header.time)),
        "",
        "^".join(kind if header.version > "2.3" else kind[:2]),
        header.control_id,
        header.processing,
        header.version,
        "",
        "",
        asked,
        asked,
        "",
        header.charset,
    ]
    return "|".join(("MSH", _DELIMITERS, *fields)).rstrip("|")


def _segment(segment: Segment, layouts: tuple[Layout, ...]) -> str:
    last = min(max(segment.fields, default=0), len(layouts))
    written = [segment.name]
    for number, layout in enumerate(layouts[:last], 1):
        repetitions = segment.fields.get(number, ())[: layout.repetitions]
        written.append("~".join([_repetition(one, layout) for one in repetitions]))
    return "|".join(written).rstrip("|")


def _repetition(repetition: Repetition, layout: Layout) -> str:
    if not layout.components:
        return "^".join([_component(one, 1000) for one in repetition])
    if layout.components == (1,):
        return _component(next((one for one in repetition if one), ""), 1)
    pairs = zip(repetition, layout.components, strict=False)
    return "^".join([_component(one, most) for one, most in pairs]).rstrip("^")


def _component(component: Component, most: int) -> str:
    """A component; where the version has no subcomponents, the first that says something."""
    if not most:
        return ""
    if isinstance(component, str):
        return _text(component)
    if most == 1:
        return _text(next(filter(None, component), ""))
    return "&".join([_text(one) for one in component[:most]])


def _text(text: str) -> str:
    return escape(text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS))


# --- charset --------------------------------------------------------------------------------


def _encoded(line: str, place: str, codec: str, hexadecimal: bool) -> bytes:
    try:
        return line.encode(codec) + b"\r"
    except UnicodeEncodeError as error:
        if not hexadecimal:
            field = line.count("|", 0, error.start) + (place == "MSH")
            location = f"{place}-{field}" if field else place
            raise Unprocessable(
                fault("not-supported", "hl7v2-out-charset", location, charset=codec)
            ) from None
    written = [one if fits(one, codec) else _hexadecimal(one) for one in line]
    return "".join(written).encode(codec) + b"\r"


def _hexadecimal(character: str) -> str:
    return f"\\X{character.encode().hex().upper()}\\"
