"""Locating elements for FHIRPath Patch."""

from __future__ import annotations

from typing import Any

import pytest

from hub.fhirpath import FHIRPathError, FHIRPathEvaluationError
from hub.fhirpath.locate import locate


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "birthDate": "2000",
        "name": [{"given": ["a", "b"]}, {"use": "old"}],
        "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}],
        "managingOrganization": {"reference": "#o"},
    }


def test_an_element_comes_with_its_container() -> None:
    resource = _patient()
    (item,) = locate("Patient.name.where(use = 'old').use", resource)
    assert item.location == "Patient.name[1].use"
    assert item.parent is not None
    assert item.parent.value is resource["name"][1]
    assert (item.key, item.index) == ("use", None)


def test_a_repetition_comes_with_its_index() -> None:
    resource = _patient()
    (item,) = locate("name[0].given[1]", resource)
    assert item.parent is not None
    assert item.parent.value[item.key][item.index] == "b"


def test_the_resource_itself_has_no_parent() -> None:
    resource = _patient()
    (item,) = locate("Patient", resource)
    assert item.value is resource
    assert item.parent is None
    assert item.location == "Patient"


def test_what_is_computed_or_resolved_has_no_location() -> None:
    assert locate("'x'", _patient())[0].location is None
    assert locate("birthDate + 1 year", _patient())[0].location is None
    assert locate("managingOrganization.resolve().name", _patient())[0].location is None
    assert locate("contained.name", _patient())[0].location == "Patient.contained[0].name"


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(FHIRPathError, match="fhirpath-unexpected-token"):
        locate("Patient.name[", _patient())


def test_a_hostile_path_ends() -> None:
    with pytest.raises(FHIRPathEvaluationError):
        locate("repeatAll($this)", _patient())
