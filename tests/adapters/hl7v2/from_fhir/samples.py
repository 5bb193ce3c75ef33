"""Messages of every kind, made from the demo set and from resources with every value there is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.hl7v2.from_fhir import adt, mdm, oru, ref
from adapters.hl7v2.from_fhir.building import MessageHeader, build
from adapters.hl7v2.from_fhir.scene import Scene
from adapters.hl7v2.from_fhir.shape import Parts
from hub.demo.generate import generate

Resource = dict[str, Any]

TIME = "20261122103000+0800"
HOSTILE = "a|b^c~d&e\\f\\F\\.br\\X0D\\\r\ng\th\x00i\x0bj\x1c"
"""Delimiters, escape sequences that are none, line breaks, and characters of the framing."""

VALUES: dict[str, Any] = {
    "valueQuantity": {"value": Decimal("5.60"), "unit": "mmol/L", "code": "mmol/L",
                      "system": "http://unitsofmeasure.org"},
    "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "260385009",
                                         "display": "Negative"}], "text": "阴性"},
    "valueString": HOSTILE,
    "valueBoolean": True,
    "valueInteger": 3,
    "valueRange": {"low": {"value": Decimal("1.0")}, "high": {"value": Decimal("2.5")}},
    "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}},
    "valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": "1 2 4"},
    "valueTime": "12:30:00",
    "valueDateTime": "2026-03-01T08:00:00.5Z",
    "valuePeriod": {"start": "2026-03-01", "end": "2026-03"},
}  # fmt: skip


class Sample(NamedTuple):
    """One message, not yet written."""

    name: str
    kind: str
    structure: str
    parts: Parts


def written(sample: Sample, version: str = "2.5", **more: Any) -> bytes:
    """The message's bytes."""
    type, trigger = sample.kind.split("^")
    structure = adt.structure(trigger, version) if type == "ADT" else sample.structure
    header = MessageHeader(
        ("FHIRHUB", "CENTRE"),
        ("HIS", "HOSPITAL"),
        TIME,
        type,
        trigger,
        structure,
        f"ID-{sample.name}"[:20],
        version,
        **more,
    )
    return build(header, sample.parts)


def observation(id: str, **more: Any) -> Resource:
    """A laboratory result."""
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}], "text": "血糖"},
        "effectiveDateTime": "2026-03-01T08:00:00+08:00",
        **more,
    }


@lru_cache(maxsize=1)
def demo() -> Scene:
    """The demo set of some residents."""
    found = {f"{one['resourceType']}/{one['id']}": one for one in generate(12, 7)}
    return Scene(found, namespaces={"urn:oid:2.16.156.10011.1.3": "ID"})


def samples() -> Iterator[Sample]:
    """All of them."""
    scene = demo()
    resources = list(scene.resources.values())
    for number, one in enumerate(resources):
        match one["resourceType"]:
            case "Patient":
                for trigger in ("A28", "A31"):
                    yield _adt(
                        f"p{number}{trigger}", trigger, adt.person(trigger, one, scene, TIME)
                    )
            case "Encounter" if number % 5 == 0:
                patient = scene.resources[one["subject"]["reference"]]
                for trigger in ("A01", "A03", "A04", "A08", "A11"):
                    parts = adt.visit(trigger, one, patient, scene, TIME)
                    yield _adt(f"e{number}{trigger}", trigger, parts)
            case "ServiceRequest":
                patient = scene.resources[one["subject"]["reference"]]
                parts = ref.referral(one, patient, scene.of(one.get("encounter")), scene, "h")
                yield Sample(f"r{number}", "REF^I12", ref.STRUCTURE, parts)
            case "Observation" if number % 20 == 0:
                patient = scene.resources[one["subject"]["reference"]]
                parts = oru.report(one, patient, None, scene)
                yield Sample(f"o{number}", "ORU^R01", oru.STRUCTURE, parts)
    yield from _made(next(one for one in resources if one["resourceType"] == "Patient"))


def _adt(name: str, trigger: str, parts: Parts) -> Sample:
    return Sample(name, f"ADT^{trigger}", adt.structure(trigger, "2.5"), parts)


def _made(patient: Resource) -> Iterator[Sample]:
    """Results with every value, a report with all of them, a referral, documents."""
    results = [observation(f"v{n}", **{name: one}) for n, (name, one) in enumerate(VALUES.items())]
    panel = observation(
        "panel",
        component=[{"code": {"text": f"c{n}"}, name: one} for n, (name, one)
                   in enumerate(VALUES.items())],
        note=[{"text": HOSTILE}],
        interpretation=[{"coding": [{"code": "H"}]}],
        referenceRange=[{"low": {"value": Decimal("3.9")}, "high": {"value": Decimal("6.1")}}],
    )  # fmt: skip
    hostile: Resource = {
        **patient,
        "name": [{"family": HOSTILE, "given": [HOSTILE, HOSTILE]}],
        "address": [{"text": HOSTILE}],
        "contact": [{"name": {"text": "王五"}, "telecom": [{"system": "phone", "value": "1"}]}],
    }
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "identifier": [{"value": "F-1"}],
        "code": {"text": HOSTILE},
        "issued": "2026-03-01T08:00:00Z",
        "conclusion": HOSTILE,
        "presentedForm": [{"contentType": "application/pdf", "data": "JVBERi0="}],
        "result": [{"reference": f"Observation/{one['id']}"} for one in (*results, panel)],
    }
    encounter: Resource = {"resourceType": "Encounter", "id": "e", "status": "finished",
                           "class": {"code": "IMP"}, "period": {"start": "2026-03-01"}}  # fmt: skip
    request: Resource = {
        "resourceType": "ServiceRequest",
        "id": "s",
        "status": "active",
        "intent": "order",
        "code": {"text": HOSTILE},
        "requester": {"display": HOSTILE},
        "reasonReference": [{"reference": "DiagnosticReport/report"}],
        "note": [{"text": HOSTILE}],
    }
    text = base64.b64encode(HOSTILE.encode()).decode()
    document: Resource = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "date": "2026-03-01T08:00:00Z",
        "type": {"text": "会诊记录"},
        "content": [
            {"attachment": {"contentType": "text/plain", "data": text}},
            {"attachment": {"contentType": "image/png", "data": text}},
        ],
    }
    known = (*results, panel, report, encounter, request, document, hostile)
    scene = Scene({f"{one['resourceType']}/{one['id']}": one for one in known})
    yield Sample("report", "ORU^R01", oru.STRUCTURE, oru.report(report, hostile, encounter, scene))
    for one in (*results, panel):
        parts = oru.report(one, hostile, None, scene)
        yield Sample(one["id"], "ORU^R01", oru.STRUCTURE, parts)
    for one in (None, encounter):
        parts = ref.referral(request, hostile, one, scene, "h")
        yield Sample(f"ref{one is None}", "REF^I12", ref.STRUCTURE, parts)
        parts = mdm.document(document, hostile, one, scene, TIME)
        yield Sample(f"mdm{one is None}", "MDM^T02", mdm.STRUCTURE, parts)
    yield _adt("hostile", "A28", adt.person("A28", hostile, scene, TIME))
