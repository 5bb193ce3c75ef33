"""OBX: an Observation with its components, or a document's content.

The value's type decides OBX-2 (table 0125). HL7 v2.5 section 7.4.2. Called by `oru`,
`ref` and `mdm`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from adapters.hl7v2.from_fhir import tables
from adapters.hl7v2.from_fhir.datatypes import (
    code_of,
    cwe,
    dtm,
    first,
    listed,
    texts,
    xcn_of,
)
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Repetition, Segment, segment

_LONGEST_ST = 199
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_NO_RESULT = "X"
_MEDIA = {
    "application": "AP",
    "audio": "AU",
    "image": "IM",
    "text": "TEXT",
    "video": "NS",
}


class Value(NamedTuple):
    """OBX-2, OBX-5 and OBX-6."""

    type: str
    repetitions: Sequence[Repetition]
    units: Repetition = ()


def observation(resource: Resource, scene: Scene, start: int) -> list[Segment]:
    """An Observation: a segment for its value, and one for each component with its sub-id.

    Args:
        resource: The Observation.
        scene: Holds its people; for the zone.
        start: OBX-1 of the first segment.
    """
    parts = listed(resource.get("component"))
    made = []
    if not parts or value_of(resource, scene).repetitions:
        made.append((resource, "1" if parts else ""))
    made += [(part, f"1.{number}") for number, part in enumerate(parts, 1)]
    return [
        _result(one, resource, scene, start + index, sub_id)
        for index, (one, sub_id) in enumerate(made)
    ]


def _result(
    holder: Mapping[str, Any], resource: Resource, scene: Scene, number: int, sub_id: str
) -> Segment:
    """One segment: value, ranges and flags of the holder, the rest of the Observation."""
    value = value_of(holder, scene)
    status = scene.code("result-status", resource.get("status"), "F")
    period = resource.get("effectivePeriod") or {}
    return segment(
        "OBX",
        {
            1: str(number),
            2: value.type,
            3: cwe(holder.get("code")),
            4: sub_id,
            5: value.repetitions,
            6: value.units,
            7: _range(first(holder.get("referenceRange"))),
            8: [
                (flag,)
                for one in listed(holder.get("interpretation"))
                if (flag := code_of(one, _INTERPRETATION) or code_of(one, ""))
            ],
            11: status if value.repetitions or status == "W" else _NO_RESULT,
            14: dtm(resource.get("effectiveDateTime") or period.get("start"), scene.zone),
            16: [xcn_of(one, scene) for one in listed(resource.get("performer"))],
            17: cwe(resource.get("method")),
            19: dtm(resource.get("issued"), scene.zone),
        },
    )


def document(
    number: int, code: Repetition, content: Value, status: str = "F", time: str = ""
) -> Segment:
    """A segment that carries a document or a text.

    Args:
        number: OBX-1.
        code: OBX-3.
        content: From `attachment` or `prose`.
        status: OBX-11.
        time: OBX-14.
    """
    return segment(
        "OBX",
        {
            1: str(number),
            2: content.type,
            3: code,
            5: content.repetitions,
            11: status,
            14: time,
        },
    )


def attachment(content_type: str, data: str) -> Value:
    """ED of bytes in base64: type of data by table 0191, subtype as in the MIME type.

    Args:
        content_type: `application/pdf`.
        data: Base64.
    """
    main, _, sub = content_type.partition(";")[0].strip().lower().partition("/")
    return Value("ED", [("", _MEDIA.get(main, "AP"), sub or "octet-stream", "Base64", data)])


def prose(text: str) -> Value:
    """FT of a text; its line breaks are escaped when it is written."""
    return Value("FT", [(text,)]) if text else Value("", [])


# --- values ---------------------------------------------------------------------------------


def value_of(holder: Mapping[str, Any], scene: Scene) -> Value:
    """The value of an Observation or component; without one OBX-2 and OBX-5 are empty.

    Args:
        holder: Has `value[x]` or none.
        scene: For the zone.
    """
    for name, content in holder.items():
        if name.startswith("value"):
            made = _made(name.removeprefix("value"), content, scene.zone)
            if made is not None:
                return made
    return Value("", [])


def _made(kind: str, content: Any, zone: str) -> Value | None:
    match kind, content:
        case "Quantity", dict():
            return _quantity(content)
        case "CodeableConcept", dict():
            return Value("CWE", [cwe(content)])
        case "String", str():
            is_short = len(content) <= _LONGEST_ST and "\n" not in content
            return Value("ST" if is_short else "FT", [(content,)])
        case "Integer", int():
            return Value("NM", [(str(content),)])
        case "Boolean", bool():
            coded = ("Y", "Yes", "HL70136") if content else ("N", "No", "HL70136")
            return Value("CWE", [coded])
        case (("Range" | "Ratio" | "Period"), dict()):
            return _pair(kind, content, zone)
        case "DateTime", str():
            # The type of v2.5 for a stamp is TS; a day alone is a DT.
            return Value("DT" if len(content) == 10 else "TS", [(dtm(content, zone),)])
        case "Time", str():
            return Value("TM", [(content.replace(":", ""),)])
        case "SampledData", dict():
            return _samples(str(content.get("data") or ""))
    return None


def _samples(data: str) -> Value:
    """NA of numbers; FT where some are errors or beyond the limits (`E`, `U`, `L`)."""
    parts = data.split()
    if any(one in ("E", "U", "L") for one in parts):
        return Value("FT", [(data,)])
    return Value("NA", [tuple(parts)])


def _quantity(quantity: Mapping[str, Any]) -> Value | None:
    value = quantity.get("value")
    if value is None:
        return None
    comparator = str(quantity.get("comparator") or "")
    if comparator:
        return Value("SN", [(comparator, str(value))], _units(quantity))
    return Value("NM", [(str(value),)], _units(quantity))


def _pair(kind: str, content: Mapping[str, Any], zone: str) -> Value:
    """SN of a Range (`5 - 10`) or a Ratio (`1 : 128`), DR of a Period."""
    if kind == "Period":
        ends = (dtm(content.get("start"), zone), dtm(content.get("end"), zone))
        return Value("DR", [ends])
    names, sign = (("low", "high"), "-") if kind == "Range" else (("numerator", "denominator"), ":")
    one, other = (content.get(name) or {} for name in names)
    low, high = (str(part.get("value", "")) for part in (one, other))
    comparator = str(one.get("comparator") or "")
    return Value("SN", [(comparator, low, sign, high)], _units(one) or _units(other))


def _units(quantity: Mapping[str, Any]) -> Repetition:
    """CWE of a unit: the coded one, and the text that people read."""
    code, unit = str(quantity.get("code") or ""), str(quantity.get("unit") or "")
    if not code:
        return (unit,) if unit else ()
    system = tables.coding_system(str(quantity.get("system") or ""))
    return (code, unit, system)


def _range(given: Any) -> str:
    """OBX-7: the text of a reference range, or `low-high`, `>low`, `<high`."""
    if not isinstance(given, dict):
        return ""
    low, high = ((given.get(name) or {}).get("value") for name in ("low", "high"))
    if low is not None and high is not None:
        return f"{low}-{high}"
    if low is not None:
        return f">={low}"
    if high is not None:
        return f"<={high}"
    return str(given.get("text") or "")


def notes(resource: Mapping[str, Any], name: str = "note") -> Iterator[Segment]:
    """NTE for each Annotation of a resource, or each text of an element (HL7 v2.5, 2.15.10)."""
    given = resource.get(name)
    words = [str(one.get("text") or "") for one in listed(given)] or texts(given)
    for number, text in enumerate([one for one in words if one], 1):
        yield segment("NTE", {1: str(number), 3: text})
