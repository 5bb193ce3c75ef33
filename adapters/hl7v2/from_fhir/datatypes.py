"""FHIR datatypes as components of HL7 v2.5 datatypes, one function each.

HL7 v2.5 chapter 2A (datatypes). Nothing is escaped here. Called by the modules of the segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.hl7v2.from_fhir import tables
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Component, Repetition
from hub.model import dates

_TIME = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?").fullmatch
_V2_IDENTIFIER = "http://terminology.hl7.org/CodeSystem/v2-0203"
_OID = "urn:oid:"


def dtm(value: Any, zone: str) -> str:
    """DTM: a date, dateTime or instant, as precise as it is; times in a zone, with its offset.

    Args:
        value: FHIR text; anything else gives "".
        zone: IANA zone.
    """
    if not isinstance(value, str):
        return ""
    found = _TIME(value)
    if found is None:
        return value.replace("-", "") if len(value) in (4, 7, 10) else ""
    _, second, fraction, _ = found.groups()
    try:
        low = dates.parse(value, zone)[0]
    except ValueError:
        return ""
    local = dates.from_microseconds(low).astimezone(ZoneInfo(zone))
    text = f"{local:%Y%m%d%H%M%S}" if second else f"{local:%Y%m%d%H%M}"
    return f"{text}{fraction[:5] if fraction else ''}{local:%z}"


def stamp(moment: datetime, zone: str) -> str:
    """DTM of a moment, to the second, in a zone.

    Args:
        moment: Aware.
        zone: IANA zone.
    """
    return f"{moment.astimezone(ZoneInfo(zone)):%Y%m%d%H%M%S%z}"


def hd(system: str, scene: Scene) -> tuple[str, ...]:
    """HD: an identifier system as namespace, universal id and its type.

    Args:
        system: A uri, "" for none.
        scene: Knows the receiver's namespaces.
    """
    if not system:
        return ()
    name = scene.namespaces.get(system, "")
    if system.startswith(_OID):
        return (name, system.removeprefix(_OID), "ISO")
    return (name, system, "URI") if not name else (name,)


def cx(identifier: Mapping[str, Any], scene: Scene) -> Repetition:
    """CX: an Identifier."""
    value = str(identifier.get("value") or "")
    if not value:
        return ()
    kind = code_of(identifier.get("type"), _V2_IDENTIFIER)
    authority = hd(str(identifier.get("system") or ""), scene)
    return (value, "", "", authority, kind)


def own_cx(resource: Resource, scene: Scene, kind: str) -> Repetition:
    """CX: the hub's own id of a resource."""
    return (str(resource["id"]), "", "", scene.authority, kind)


def ei(identifier: Mapping[str, Any], scene: Scene) -> Repetition:
    """EI: an Identifier as entity, namespace, universal id and its type."""
    value = str(identifier.get("value") or "")
    return (value, *hd(str(identifier.get("system") or ""), scene)) if value else ()


def ei_of(resource: Resource, scene: Scene, kind: str = "") -> Repetition:
    """EI: the identifier of a resource of a type (0203), else its first, else the hub's id.

    Args:
        resource: Any with `identifier`.
        scene: Knows the receiver's namespaces.
        kind: `PLAC` or `FILL`; "" for whichever is first.
    """
    given = listed(resource.get("identifier"))
    of_kind = [one for one in given if kind and code_of(one.get("type"), _V2_IDENTIFIER) == kind]
    for one in of_kind or given:
        if found := ei(one, scene):
            return found
    return (str(resource["id"]), scene.authority)


def xpn(name: Mapping[str, Any]) -> Repetition:
    """XPN: a HumanName; one that has only text goes into the family name."""
    given = texts(name.get("given"))
    family = str(name.get("family") or "")
    if not (family or given):
        family = str(name.get("text") or "")
    if not family and not given:
        return ()
    use = tables.code("name-use", name.get("use"), "L")
    suffix, prefix = " ".join(texts(name.get("suffix"))), " ".join(texts(name.get("prefix")))
    return (family, given[0] if given else "", " ".join(given[1:]), suffix, prefix, "", use)


def xcn(resource: Resource, scene: Scene) -> Repetition:
    """XCN: a person with a number: Practitioner, Patient or RelatedPerson.

    A PractitionerRole is its practitioner.
    """
    if resource["resourceType"] == "PractitionerRole":
        found = scene.of(resource.get("practitioner"), "Practitioner")
        if found is None:
            return _xcn_of_display(resource.get("practitioner"))
        resource = found
    name = first(resource.get("name"))
    person = xpn(name) if isinstance(name, dict) else ()
    parts = [*person, *[""] * (7 - len(person))]
    identifier = first(resource.get("identifier")) or {}
    value, *_, authority, kind = cx(identifier, scene) or own_cx(resource, scene, "")
    return (value, *parts[:5], "", "", authority, parts[6], "", "", kind)


def xcn_of(element: Any, scene: Scene) -> Repetition:
    """XCN of what a Reference points to; where that is not here, of its display."""
    found = scene.of(element, "Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
    return xcn(found, scene) if found is not None else _xcn_of_display(element)


def _xcn_of_display(element: Any) -> Repetition:
    text = element.get("display") if isinstance(element, dict) else None
    reference = str(element.get("reference") or "") if isinstance(element, dict) else ""
    is_person = not reference or reference.split("/")[0] in ("Practitioner", "PractitionerRole")
    return ("", text) if isinstance(text, str) and text and is_person else ()


def xon(resource: Resource, scene: Scene) -> Repetition:
    """XON: an Organization: name and number."""
    identifier = first(resource.get("identifier"))
    made = cx(identifier, scene) if isinstance(identifier, dict) else ()
    value, *_, authority, kind = made or own_cx(resource, scene, "")
    return (str(resource.get("name") or ""), "", "", "", "", authority, kind, "", "", value)


def xad(address: Mapping[str, Any]) -> Repetition:
    """XAD: an Address; one that has only text goes into the street."""
    lines = texts(address.get("line"))
    city, state = str(address.get("city") or ""), str(address.get("state") or "")
    if not (lines or city or state) and address.get("text"):
        lines = [str(address["text"])]
    return (
        lines[0] if lines else "",
        " ".join(lines[1:]),
        city,
        state,
        str(address.get("postalCode") or ""),
        str(address.get("country") or ""),
        tables.address_type(address.get("use"), address.get("type")),
        "",
        str(address.get("district") or ""),
    )


def xtn(contact: Mapping[str, Any]) -> Repetition:
    """XTN: a ContactPoint; the number stands in XTN-1 and, unformatted, in XTN-12."""
    value = str(contact.get("value") or "")
    if not value:
        return ()
    use, equipment = tables.telecom(contact.get("use"), contact.get("system"))
    if equipment == "Internet":
        return ("", use, equipment, value)
    return (value, use, equipment, "", "", "", "", "", "", "", "", value)


def cwe(concept: Any) -> Repetition:
    """CWE: a CodeableConcept: two codings and the text as it was written."""
    if not isinstance(concept, dict):
        return ()
    codings = [one for one in listed(concept.get("coding")) if one.get("code")]
    text = str(concept.get("text") or "")
    parts = [*_coding(codings[0])] if codings else ["", text, ""]
    parts += [*_coding(codings[1])] if len(codings) > 1 else ["", "", ""]
    if codings and not parts[1]:
        parts[1] = text
    versions = [str(one.get("version") or "") for one in codings[:2]]
    same = text in ("", parts[1])
    return (*parts, *versions, *[""] * (2 - len(versions)), "" if same else text)


def _coding(coding: Mapping[str, Any]) -> tuple[str, str, str]:
    system = tables.coding_system(str(coding.get("system") or ""))
    return str(coding["code"]), str(coding.get("display") or ""), system


def pl(location: Resource, scene: Scene) -> Repetition:
    """PL: a Location: point of care, or by its physical type room, bed, floor, building."""
    parts: list[Component] = [""] * 9
    here: Resource | None = location
    for _ in range(6):  # A hierarchy of Locations is no deeper, and might be a circle.
        if here is None:
            break
        kind = code_of(here.get("physicalType"), "")
        identifier = first(here.get("identifier"))
        value = identifier.get("value") if isinstance(identifier, dict) else None
        place = tables.LOCATION_PARTS.get(kind, 0)
        parts[place] = parts[place] or str(value or here.get("name") or here["id"])
        here = scene.of(here.get("partOf"), "Location")
    if location.get("name"):
        parts[8] = str(location["name"])
    return tuple(parts)


# --- reading of FHIR elements ---------------------------------------------------------------


def listed(content: Any) -> list[dict[str, Any]]:
    """The objects of an element that repeats."""
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []


def first(content: Any) -> Any:
    """The first of an element that repeats, None without one."""
    return content[0] if isinstance(content, list) and content else None


def texts(content: Any) -> list[str]:
    """The texts of an element that repeats."""
    return [one for one in content if isinstance(one, str)] if isinstance(content, list) else []


def code_of(concept: Any, system: str) -> str:
    """The first code of a CodeableConcept in a system, of any when that is "" ; "" for none."""
    codings = listed(concept.get("coding")) if isinstance(concept, dict) else []
    return next((str(one["code"]) for one in codings if one.get("code")
                 and (not system or one.get("system") == system)), "")  # fmt: skip


def codes_of(concepts: Iterable[Any]) -> set[str]:
    """All codes of CodeableConcepts, whatever their systems."""
    return {
        str(one.get("code"))
        for concept in concepts
        if isinstance(concept, dict)
        for one in listed(concept.get("coding"))
    }
