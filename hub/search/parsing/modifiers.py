"""Which modifiers go with which parameters (https://hl7.org/fhir/R4/search.html#modifiers).

A server refuses a modifier that it does not support for the parameter, never ignores it.
Called by `hub.search.parsing.criteria`.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.definitions import SearchParameter, is_resource_type
from hub.search.parsing.reading import refuse
from hub.search.traits import traits_of

TERMINOLOGY = frozenset(["in", "not-in", "above", "below"])
"""Modifiers of tokens that need a terminology service."""

SUITABLE: Mapping[str, frozenset[str]] = {
    "string": frozenset(["missing", "exact", "contains"]),
    "token": frozenset(["missing", "text", "not", "of-type", *TERMINOLOGY]),
    "reference": frozenset(["missing", "identifier", "above", "below"]),
    "uri": frozenset(["missing", "above", "below"]),
    "date": frozenset(["missing"]),
    "number": frozenset(["missing"]),
    "quantity": frozenset(["missing"]),
    "special": frozenset(["missing"]),
    "composite": frozenset(),
}
"""Parameter type to modifiers; a reference also takes the names of resource types."""

_KNOWN = frozenset(name for names in SUITABLE.values() for name in names)
_OF_COLUMNS: Mapping[str, frozenset[str]] = {
    "_id": frozenset(["not", "missing"]),
    "_lastUpdated": frozenset(["missing"]),
}


def check_modifier(parameter: SearchParameter, modifier: str) -> None:
    """Refuse a modifier that does not go with a parameter.

    Args:
        parameter: Any.
        modifier: Without its colon; "" is fine.

    Raises:
        BadRequest: It is unknown, or unsuitable.
    """
    if not modifier or _suits(parameter, modifier):
        return
    if modifier in _KNOWN or is_resource_type(modifier):
        refuse(
            "not-supported",
            "search-unsuitable-modifier",
            name=parameter.code,
            modifier=modifier,
            kind=parameter.type,
        )
    refuse("not-supported", "search-unknown-modifier", name=parameter.code, modifier=modifier)


def _suits(parameter: SearchParameter, modifier: str) -> bool:
    if parameter.code in _OF_COLUMNS:
        return modifier in _OF_COLUMNS[parameter.code]
    if parameter.type == "reference":
        types = traits_of(parameter).types
        if modifier == "identifier" or is_resource_type(modifier):
            return "Reference" in types
        return modifier in SUITABLE["reference"]
    if modifier == "of-type":
        return parameter.type == "token" and "Identifier" in traits_of(parameter).types
    return modifier in SUITABLE[parameter.type]
