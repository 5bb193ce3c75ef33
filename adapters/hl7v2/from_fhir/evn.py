"""EVN: what happened when. HL7 v2.5 section 3.4.1. Called by `adt` and `mdm`."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.shape import Segment, segment


def evn(trigger: str, recorded: str, occurred: str = "") -> Segment:
    """The segment.

    Args:
        trigger: `A01`.
        recorded: DTM of when the hub knew it.
        occurred: DTM of when it happened, "" when nobody said.
    """
    return segment("EVN", {1: trigger, 2: recorded, 6: occurred})
