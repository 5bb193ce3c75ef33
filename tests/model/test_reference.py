"""hub.model.reference and hub.model.identity."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import reference
from hub.model.identity import new_id, valid_id
from hub.model.reference import ReferenceParts

BASE = "https://hub.example/fhir"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Patient/1", ReferenceParts("relative", "Patient", "1", url="Patient/1")),
        (
            "Patient/1/_history/2",
            ReferenceParts("relative", "Patient", "1", "2", url="Patient/1"),
        ),
        (f"{BASE}/Patient/1", ReferenceParts("relative", "Patient", "1", url="Patient/1")),
        (
            f"{BASE}/Patient/1/_history/2",
            ReferenceParts("relative", "Patient", "1", "2", url="Patient/1"),
        ),
        (
            "https://other.example/r4/Patient/1/_history/3#x",
            ReferenceParts(
                "absolute", "Patient", "1", "3", "https://other.example/r4/Patient/1", "x"
            ),
        ),
        (
            "https://hub.example/fhir2/Patient/1",
            ReferenceParts("absolute", "Patient", "1", url="https://hub.example/fhir2/Patient/1"),
        ),
        (
            "https://other.example/page",
            ReferenceParts("absolute", url="https://other.example/page"),
        ),
        ("urn:uuid:0c3151bd", ReferenceParts("logical", url="urn:uuid:0c3151bd")),
        ("urn:oid:1.2.3", ReferenceParts("logical", url="urn:oid:1.2.3")),
        ("#p1", ReferenceParts("contained", fragment="p1")),
        ("#", ReferenceParts("contained", fragment="")),
        ("Wizard/1", ReferenceParts("logical", url="Wizard/1")),
        ("Resource/1", ReferenceParts("logical", url="Resource/1")),
        ("Patient?identifier=x|1", ReferenceParts("logical", url="Patient?identifier=x|1")),
        ("Patient/" + "1" * 65, ReferenceParts("logical", url="Patient/" + "1" * 65)),
        ("", ReferenceParts("logical")),
    ],
)
def test_references_are_taken_apart(text, parts):
    assert reference.parse(text, BASE) == parts


def test_without_a_base_every_url_is_absolute():
    assert reference.parse(f"{BASE}/Patient/1").kind == "absolute"


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text):
    assert reference.parse(text, BASE).kind in ("relative", "absolute", "logical", "contained")


def test_walk_finds_references_wherever_they_are():
    observation = {
        "resourceType": "Observation",
        "contained": [
            {"resourceType": "Patient", "managingOrganization": {"reference": "#o"}},
            {"resourceType": "DetectedIssue", "reference": "http://example.org"},
        ],
        "extension": [{"url": "u", "valueReference": {"reference": "A/1", "display": "d"}}],
        "subject": {"reference": "Patient/1", "_reference": {"id": "x"}},
        "performer": [
            {"display": "nobody"},
            {"reference": "Practitioner/2", "type": "Practitioner"},
        ],
    }
    assert [(path, found["reference"]) for path, found in reference.walk(observation)] == [
        ("Observation.contained[0].managingOrganization", "#o"),
        ("Observation.extension[0].valueReference", "A/1"),
        ("Observation.subject", "Patient/1"),
        ("Observation.performer[1]", "Practitioner/2"),
    ]


def test_walk_enters_bundle_entries():
    task = {"resourceType": "Task", "for": {"reference": "urn:uuid:1"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": task}]}
    ((path, found),) = reference.walk(bundle)
    assert path == "Bundle.entry[0].resource.for"
    found["reference"] = "Patient/9"
    assert task["for"]["reference"] == "Patient/9"


def test_uris_named_reference_are_no_references():
    assert not list(
        reference.walk(
            {
                "resourceType": "Immunization",
                "education": [{"reference": "http://example.org/leaflet"}],
                "x": {"reference": "http://x", "language": "text/cql"},
            }
        )
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://a/b|1.0#c", ("http://a/b", "1.0", "c")),
        ("http://a/b", ("http://a/b", "", "")),
        ("http://a/b#c", ("http://a/b", "", "c")),
        ("|", ("", "", "")),
    ],
)
def test_canonicals_are_split(text, parts):
    assert reference.split_canonical(text) == parts


@pytest.mark.parametrize("text", ["1", "a-b.c", "A" * 64, "-", "."])
def test_valid_ids(text):
    assert valid_id(text)


@pytest.mark.parametrize("text", ["", "a" * 65, "a b", "a/b", "a_b", "é", "１", "a\n", "a\x00"])
def test_invalid_ids(text):
    assert not valid_id(text)


def test_new_ids_are_random_uuids():
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    for text in made:
        assert str(uuid.UUID(text)) == text
        assert uuid.UUID(text).version == 4
        assert uuid.UUID(text).variant == uuid.RFC_4122
    assert valid_id(new_id())
    assert new_id() != new_id()
