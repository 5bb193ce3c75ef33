"""Segments go into the groups of the message map, also when a sender mixes them up."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.hl7v2.mapping.library import group_plan
from adapters.hl7v2.mapping.reading import Group, read
from adapters.hl7v2.message import parse

PLAN = group_plan(
    "M",
    {
        "MSH": "~",
        "PATIENT": {"$starts": "PID", "$once": "true", "PID": "a", "PD1": "~", "ROL": "b"},
        "VISIT": {"$starts": "PV1", "$once": "true", "PV1": "c", "ROL": "d"},
        "ORDER": {
            "$starts": ["ORC", "OBR"],
            "ORC": "e",
            "OBR": "f",
            "NTE": "g",
            "RESULT": {"$starts": "OBX", "OBX": "h", "NTE": "i"},
            "SPM": "j",
        },
    },
    "test",
)


def shape(group: Group) -> Any:
    """A group as nested lists of names."""
    found: list[Any] = [
        f"{segment.name}{segment.ordinal}"
        for segments in group.segments.values()
        for segment in segments
        if segment.name != "MSH" and segment not in group.unknown
    ]
    if group.plan.once or group.plan.name == "M":
        found = sorted(set(found)) if group.plan.once else []
    inner = {name: [shape(one) for one in groups] for name, groups in group.groups.items()}
    found += [f"?{segment.name}" for segment in group.unknown]
    return [*found, inner] if inner else found


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "PID PD1 ROL PV1 ROL",
            [{"PATIENT": [["PD11", "PID1", "ROL1"]], "VISIT": [["PV11", "ROL2"]]}],
        ),
        (
            "ORC OBR OBX NTE OBX SPM ORC OBR OBX",
            [{"ORDER": [
                ["ORC1", "OBR1", "SPM1", {"RESULT": [["OBX1", "NTE1"], ["OBX2"]]}],
                ["ORC2", "OBR2", {"RESULT": [["OBX3"]]}],
            ]}],
        ),
        ("OBR NTE OBR", [{"ORDER": [["OBR1", "NTE1"], ["OBR2"]]}]),
        ("OBR ORC OBR", [{"ORDER": [["OBR1"], ["ORC1", "OBR2"]]}]),
        ("OBX PID", ["?OBX", {"PATIENT": [["PID1"]]}]),
        ("OBR ZZZ OBX ZZZ", [{"ORDER": [["OBR1", "?ZZZ", {"RESULT": [["OBX1", "?ZZZ"]]}]]}]),
    ],
)  # fmt: skip
def test_segments_are_grouped(names: str, expected: Any) -> None:
    text = "\r".join(["MSH|^~\\&|", *(f"{name}|" for name in names.split())])
    assert shape(read(parse(text), PLAN)) == expected
