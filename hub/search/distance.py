"""Distance over the earth, for `near` (https://hl7.org/fhir/R4/location.html#positional).

One definition for every store; called by the memory store and `hub.storage.sqlite.functions`.
"""

from __future__ import annotations

import math

EARTH_RADIUS = 6_371_008.8
"""Mean radius in metres."""


def metres(latitude: float, longitude: float, other: float, other_longitude: float) -> float:
    """Distance between two places given in degrees (haversine), in metres.

    Args:
        latitude: Of the first place.
        longitude: Of the first place.
        other: Latitude of the second place.
        other_longitude: Longitude of the second place.
    """
    first, second = math.radians(latitude), math.radians(other)
    across = math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    along = math.sin((second - first) / 2) ** 2
    share = along + math.cos(first) * math.cos(second) * across
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(share)))
