"""Patients are found in answers and queries, and nobody else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.audit.patients import asked_for, patients_in

OBSERVATION = b'{"resourceType":"Observation","subject":{"reference":"Patient/a"}}'


def test_patients_are_found_in_json_and_xml() -> None:
    assert patients_in(OBSERVATION) == (b"a",)
    assert patients_in(b'<reference value="Patient/b-1"/><x value="Patient/b-1"/>') == (b"b-1",)
    bundle = b'{"fullUrl":"https://h/fhir/Patient/c.2","x":"RelatedPatient/d Patient/e"}'
    assert patients_in(bundle) == (b"c.2",)
    assert patients_in(b"Patient/") == ()
    assert patients_in(b'"Patient/x/_history/3"') == (b"x",)


@given(st.binary(max_size=50), st.lists(st.from_regex(r"\A[A-Za-z0-9\-.]{1,64}\Z"), max_size=4))
def test_every_reference_is_found_in_any_bytes(noise: bytes, ids: list[str]) -> None:
    body = noise + b"".join(b'"Patient/' + id.encode() + b'"' for id in ids)
    assert set(patients_in(body)) >= {id.encode() for id in ids}


def test_patients_that_a_query_names_are_asked_for() -> None:
    assert asked_for("Observation", "patient=a,Patient/b&code=x&subject:Patient=c") == [
        "a",
        "b",
        "c",
    ]
    assert asked_for("Patient", "_id=a&name=b") == ["a"]
    assert asked_for("Observation", "_id=a&subject=Group/g&patient=&patient=%00") == []
    assert asked_for("Observation", "subject=http://h/fhir/Patient/d") == ["d"]
