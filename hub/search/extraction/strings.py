"""String rows (https://hl7.org/fhir/R4/search.html#string).

A HumanName gives each of its parts; a Han name, which is written without a space, also family
and given together, so that it is found as people write it. Called by
`hub.search.extraction.leaves`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.search.extraction.found import Found, Visit
from hub.search.folding import fold, has_han
from hub.search.values import StringRow

_new = tuple.__new__
_ADDRESS_PARTS = ("text", "city", "district", "state", "postalCode", "country")


def text(keys: tuple[int, ...]) -> Visit:
    """A string or markdown."""

    def visit(element: str, found: Found) -> None:
        folded = fold(element)
        for key in keys:
            found.strings.append(_new(StringRow, (key, folded, element)))

    return visit


def human_name(keys: tuple[int, ...]) -> Visit:
    """All parts of a name."""

    def visit(element: dict[str, Any], found: Found) -> None:
        _note(keys, _name_parts(element), found)

    return visit


def _name_parts(name: dict[str, Any]) -> Iterable[str]:
    family: str = name.get("family") or ""
    given = list(filter(None, name.get("given", ())))
    parts = [family, *given, name.get("text")]
    parts += name.get("prefix", ())
    parts += name.get("suffix", ())
    if family and given and has_han(family):
        parts.append(family + "".join(given))
    return dict.fromkeys(filter(None, parts))


def address(keys: tuple[int, ...]) -> Visit:
    """All parts of an address."""

    def visit(element: dict[str, Any], found: Found) -> None:
        parts = [element.get(name) for name in _ADDRESS_PARTS]
        parts += element.get("line", ())
        _note(keys, dict.fromkeys(filter(None, parts)), found)

    return visit


def concept(keys: tuple[int, ...]) -> Visit:
    """The text and displays of a CodeableConcept or Coding."""

    def visit(element: dict[str, Any], found: Found) -> None:
        parts = [element.get("text"), element.get("display")]
        parts += [coding.get("display") for coding in element.get("coding", ())]
        _note(keys, dict.fromkeys(filter(None, parts)), found)

    return visit


def _note(keys: tuple[int, ...], parts: Iterable[str], found: Found) -> None:
    note = found.strings.append
    for part in parts:
        folded = fold(part)
        for key in keys:
            note(_new(StringRow, (key, folded, part)))
