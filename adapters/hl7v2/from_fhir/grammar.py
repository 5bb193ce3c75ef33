"""What a version of HL7 v2 knows: fields, components and their number, out of hl7apy's tables.

hl7apy's own objects need 1.4 ms for each OBX and its escaping takes hexadecimal ones apart, so
only its tables are used here; in tests it reads every message that was built (docs/adr/0024).
Called by `building`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

UNLIMITED = 1_000_000


class Layout(NamedTuple):
    """One field.

    Attributes:
        components: How many subcomponents each of its components has; none: any of both.
        repetitions: At most so many.
    """

    components: tuple[int, ...]
    repetitions: int


@lru_cache(maxsize=512)
def fields_of(segment: str, version: str) -> tuple[Layout, ...] | None:
    """The fields of a segment, from field 1; None when the version has no such segment.

    Args:
        segment: `PID`.
        version: `2.5.1`; one that is not known counts as 2.5.1.
    """
    from hl7apy import load_reference
    from hl7apy.exceptions import ChildNotFound

    try:
        _, found = load_reference(segment, "Segment", known_version(version))
    except ChildNotFound:
        return None
    return tuple(_layout(content, counts[1]) for _, content, counts, _ in found)


@lru_cache(maxsize=32)
def known_version(version: str) -> str:
    """The version whose tables hold: itself, else the newest of the same number, else 2.5.1."""
    from hl7apy import SUPPORTED_LIBRARIES

    if version in SUPPORTED_LIBRARIES:
        return version
    near = [one for one in SUPPORTED_LIBRARIES if version.startswith(one)]
    return max(near, default="2.5.1")


def _layout(content: Any, most: int) -> Layout:
    kind, parts, datatype = content[0], content[1], content[2]
    repetitions = UNLIMITED if most < 0 else most
    if datatype == "varies":
        return Layout((), repetitions)
    if kind == "leaf":
        return Layout((1,), repetitions)
    inside = [part for _, part, _, _ in parts]
    return Layout(
        tuple(len(part[1]) if part[0] == "sequence" else 1 for part in inside), repetitions
    )
