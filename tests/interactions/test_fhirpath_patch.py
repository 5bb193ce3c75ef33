from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError
from hub.interactions import fhirpath_patch
from hub.messages import render
from hub.model import json

CASES = Path(__file__).parents[1] / "cases" / "interactions" / "fhirpath_patch.json"
KINDS = {"type": "valueCode", "path": "valueString", "name": "valueString"}


def cases() -> list[Any]:
    found = json.decode(b'{"cases":' + CASES.read_bytes() + b"}")["cases"]
    return [pytest.param(case, id=case["name"]) for case in found]


def parameters(operations: list[dict[str, Any]]) -> dict[str, Any]:
    """A FHIRPath Patch from the short form of the cases."""
    rows = []
    for operation in operations:
        parts = []
        for name, value in operation.items():
            if name in KINDS:
                parts.append({"name": name, KINDS[name]: value})
            elif name in ("index", "source", "destination"):
                parts.append({"name": name, "valueInteger": value})
            elif name == "part" or (name.startswith("value") and "part" not in operation):
                parts.append({"name": "value", name: value})
        rows.append({"name": "operation", "part": parts})
    return {"resourceType": "Parameters", "parameter": rows}


@pytest.mark.parametrize("case", cases())
def test_operations(case: dict[str, Any]) -> None:
    patch = parameters(case["operations"])
    if "error" in case:
        with pytest.raises(HubError) as caught:
            fhirpath_patch.apply(fhirpath_patch.parse(patch), case["resource"])
        issue = caught.value.issues[0]
        assert issue.message == case["error"]
        assert caught.value.status in (400, 422)
        assert render(issue.message, issue.arguments)
    else:
        assert (
            fhirpath_patch.apply(fhirpath_patch.parse(patch), case["resource"])
            == (case["expected"])
        )


def test_a_patch_can_be_applied_twice() -> None:
    patch = fhirpath_patch.parse(
        parameters(
            [
                {"type": "add", "path": "Patient", "name": "name", "valueHumanName": {"text": "a"}},
                {"type": "add", "path": "Patient.name[0]", "name": "given", "valueString": "x"},
            ]
        )
    )
    for _ in range(2):
        patched = fhirpath_patch.apply(patch, {"resourceType": "Patient"})
        assert patched == {"resourceType": "Patient", "name": [{"text": "a", "given": ["x"]}]}


def test_too_many_operations_are_refused() -> None:
    operations = [{"type": "delete", "path": "Patient.name"}] * 1001
    with pytest.raises(HubError) as caught:
        fhirpath_patch.parse(parameters(operations))
    assert caught.value.issues[0].message == "patch-too-many"
