"""The codes that a binding allows (https://hl7.org/fhir/R4/terminologies.html#strength).

Called by validation through `hub.definitions`.
"""

from __future__ import annotations

from functools import cache

import msgspec

from hub.definitions.pack import open_pack
from hub.definitions.shapes import BoundCodes


@cache
def _frame(number: int) -> dict[str, BoundCodes]:
    blob = open_pack("value_sets").blob(number)
    return msgspec.msgpack.decode(blob, type=dict[str, BoundCodes])


def bound_codes(value_set: str) -> BoundCodes | None:
    """What a value set of the package allows.

    Every value set of a required binding has an answer, and every other one that the package
    can list in 5,000 codes.

    Args:
        value_set: Canonical; a version is not looked at.

    Returns:
        None when the package cannot enumerate it and no syntax stands for it.
    """
    url = value_set.partition("|")[0]
    number = open_pack("value_sets").index.get(url)
    return None if number is None else _frame(number)[url]
