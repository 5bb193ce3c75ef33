"""What a version of HL7 v2 knows: fields, components and their number, out of hl7apy's tables.

hl7apy's own objects need 1.4 ms for each OBX and its escaping takes hexadecimal ones apart, so
only its tables are used here; in tests it reads every message that was built (docs/adr/0026).
Called by `building`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

UNLIMITED = 1_000_000


class Layout(NamedTuple):
    """One field.

    Attributes:
        components: How many subcomponents each of its components has, 0 for one that the version
            has withdrawn; none: any of both.
        repetitions: At most so many, 0 for a field that the version does not have.
    """

    components: tuple[int, ...]
    repetitions: int


_ABSENT = Layout((1,), 0)


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
    layouts = {_number(name): _layout(content, most) for name, content, (_, most), _ in found}
    return tuple(layouts.get(number, _ABSENT) for number in range(1, max(layouts) + 1))


@lru_cache(maxsize=32)
def known_version(version: str) -> str:
    """The version whose tables hold: itself, else the newest of the same number, else 2.5.1."""
    from hl7apy import SUPPORTED_LIBRARIES

    if version in SUPPORTED_LIBRARIES:
        return version
    near = [one for one in SUPPORTED_LIBRARIES if version.startswith(one)]
    return max(near, default="2.5.1")


def _number(name: str) -> int:
    """5 of `PID_5` and of `XPN_5`; withdrawn ones may be missing from the tables."""
    return int(name.rpartition("_")[2])


def _layout(content: Any, most: int) -> Layout:
    kind, parts, datatype = content[0], content[1], content[2]
    repetitions = UNLIMITED if most < 0 else most
    if datatype == "varies":
        return Layout((), repetitions)
    if kind == "leaf":
        return Layout((1,), 0 if datatype == "WD" else repetitions)
    inside = {_number(name): _subcomponents(part, limit) for name, part, (_, limit), _ in parts}
    sizes = tuple(inside.get(number, 0) for number in range(1, max(inside) + 1))
    return Layout(sizes, repetitions)


def _subcomponents(content: Any, most: int) -> int:
    if most == 0 or content[2] == "WD":
        return 0
    return len(content[1]) if content[0] == "sequence" else 1
