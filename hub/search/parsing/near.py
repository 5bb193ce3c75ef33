"""`near=latitude|longitude|distance|unit` (https://hl7.org/fhir/R4/location.html#positional).

Called by `hub.search.parsing.values`.
"""

from __future__ import annotations

from decimal import Decimal

from hub.definitions import SearchParameter
from hub.model import quantity
from hub.search.parsing.escapes import split, unescape
from hub.search.parsing.reading import Reading, invalid
from hub.search.query import NearValue

DEFAULT_METRES = 50_000.0
"""Distance when none is given."""

_EXPECTED = "latitude|longitude|distance|unit in degrees and a UCUM unit of length"
_ALIASES = {"mi": "[mi_i]", "ft": "[ft_i]", "miles": "[mi_i]"}
_FARTHEST = 20_100_000.0
_HALF_TURN, _QUARTER_TURN = 180, 90


def read_near(reading: Reading, parameter: SearchParameter, text: str) -> NearValue:
    """A place and a distance; kilometres when the unit is left out.

    Args:
        reading: The search.
        parameter: `near`.
        text: The value.

    Raises:
        BadRequest: It is none.
    """
    pieces = [unescape(piece).strip() for piece in split(text, "|")]
    if not 2 <= len(pieces) <= 4:
        invalid(parameter, _EXPECTED)
    try:
        latitude, longitude = (quantity.parse_number(piece) for piece in pieces[:2])
        metres = _metres(pieces[2:])
    except ValueError:
        invalid(parameter, _EXPECTED)
    if abs(latitude) > _QUARTER_TURN or abs(longitude) > _HALF_TURN:
        invalid(parameter, _EXPECTED)
    return NearValue(float(latitude), float(longitude), metres)


def _metres(pieces: list[str]) -> float:
    if not pieces or not pieces[0]:
        return DEFAULT_METRES
    distance = quantity.parse_number(pieces[0])
    unit = pieces[1] if len(pieces) > 1 and pieces[1] else "km"
    unit = _ALIASES.get(unit, unit)
    converted = quantity.canonical(distance, unit)
    if converted is None or converted[1] != "m" or distance < Decimal(0):
        raise ValueError("not a length")
    return min(float(converted[0]), _FARTHEST)
