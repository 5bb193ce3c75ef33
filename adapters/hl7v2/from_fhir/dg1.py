"""DG1: a diagnosis, from a Condition. HL7 v2.5 section 6.5.2. Called by `adt` and `ref`."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.hl7v2.from_fhir.datatypes import cwe, dtm
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Segment, segment

_WORKING = "W"
"""Table 0052, working diagnosis: what the hub knows is never the billing one."""


def dg1(conditions: Sequence[Resource], scene: Scene) -> list[Segment]:
    """A segment for each Condition that has a code.

    Args:
        conditions: In the order of their importance.
        scene: For the zone.
    """
    coded = [one for one in conditions if cwe(one.get("code"))]
    return [
        segment(
            "DG1",
            {
                1: str(number),
                3: cwe(one["code"]),
                5: dtm(one.get("onsetDateTime") or one.get("recordedDate"), scene.zone),
                6: _WORKING,
            },
        )
        for number, one in enumerate(coded, 1)
    ]
