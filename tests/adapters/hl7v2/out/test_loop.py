"""What goes out comes in as the same: our messages, read by our own maps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.converted import Converted
from adapters.hl7v2.from_fhir import adt, oru
from adapters.hl7v2.from_fhir.scene import Scene
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert
from tests.adapters.hl7v2.from_fhir.samples import TIME, Sample, observation, samples, written

Resource = dict[str, Any]

SITE = Site("hub", zone="Asia/Shanghai", systems={"ID": "urn:oid:2.16.156.10011.1.3"})
SAMPLES = list(samples())


def read(sample: Sample) -> Converted:
    """A message as our own maps read it."""
    return convert(parse(written(sample).decode()), SITE, 0)


def only(converted: Converted, type: str) -> Resource:
    """The one resource of a type."""
    (found,) = [one.resource for one in converted.resources if one.type == type]
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)
def test_the_hub_understands_what_it_sends(sample: Sample) -> None:
    converted = read(sample)
    assert converted.kind == sample.kind
    assert converted.resources
    unknown = [one for one in converted.remarks if one.id.endswith(("unmapped", "segment-unknown"))]
    assert not unknown


@given(
    family=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1),
    given=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1),
    charset=st.sampled_from(["UNICODE UTF-8", "GB 18030-2000"]),
)
def test_any_name_comes_through_any_charset(family: str, given: str, charset: str) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"use": "official", "family": family, "given": [given]}],
    }
    sample = Sample("x", "ADT^A28", "ADT_A05", adt.person("A28", patient, Scene(), TIME))
    raw = written(sample, charset=charset)
    text = raw.decode("gb18030" if charset.startswith("GB") else "utf-8")
    pid = parse(text).first("PID")
    assert pid is not None
    assert (pid.component(5), pid.component(5, 2)) == (family, given)


@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": {"value": Decimal("5.60"), "unit": "mmol/L", "code": "mmol/L",
                           "system": "http://unitsofmeasure.org"}},
        {"valueString": "一|二^三\\E\\"},
        {"valueString": "第一行\n第二行"},
        {"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct",
                                              "code": "260385009", "display": "Negative"}]}},
        {"valueTime": "12:30:00"},
        {"valueDateTime": "2026-03-01T16:00:00+08:00"},
    ],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
def test_a_result_comes_back_with_its_value(value: Resource) -> None:
    result = observation("o", **value)
    patient = {"resourceType": "Patient", "id": "p"}
    sample = Sample("x", "ORU^R01", "ORU_R01", oru.report(result, patient, None, Scene()))
    made = only(read(sample), "Observation")
    (name,) = value
    back = made[name]
    if name == "valueCodeableConcept":  # CWE-2 is both the coding's display and the text.
        assert back.pop("text") == back["coding"][0]["display"]
    assert back == value[name]
    assert (made["status"], made["effectiveDateTime"]) == ("final", result["effectiveDateTime"])


def test_a_patient_comes_back_as_the_same() -> None:
    for sample in SAMPLES:
        if sample.kind != "ADT^A28" or sample.name == "hostile":
            continue
        made = only(read(sample), "Patient")
        assert made["gender"] in ("male", "female")
        assert len(made["birthDate"]) == 10
        systems = {one.get("system") for one in made["identifier"]}
        assert "urn:oid:2.16.156.10011.1.3" in systems
        assert made["name"][0]["use"] == "official"
        assert made["telecom"][0]["use"] == "mobile"
        assert made["address"][0]["country"] == "中国"
