"""Reference rows (https://hl7.org/fhir/R4/search.html#reference).

One closure notes what an element gives to every parameter, to the compartments it puts the
resource into, and, where no parameter sees it, to the links that keep deletes honest. Called by
`hub.search.extraction.leaves`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hub.definitions import resource_types
from hub.model.reference import parse, split_canonical
from hub.search.extraction.found import Found, Visit
from hub.search.values import COMPARTMENT_KEY, LINK_KEY, ReferenceRow, TokenRow

_new = tuple.__new__
IDENTIFIER = "identifier"
_LOCAL_ONLY = frozenset([COMPARTMENT_KEY, LINK_KEY])
_VERSIONED = re.compile(
    r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})/_history/([A-Za-z0-9\-.]{1,64})"
).fullmatch


@dataclass(frozen=True, slots=True)
class _Keys:
    """Which keys index a Reference element.

    Attributes:
        local: For a target of this server by its type; what no parameter sees is a link.
        limited: For other targets whose type is known and has keys of its own.
        open: For those whose type has none.
        every: For those whose type is not known.
    """

    local: Mapping[str, tuple[int, ...]]
    limited: Mapping[str, tuple[int, ...]]
    open: tuple[int, ...]
    every: tuple[int, ...]


@cache
def _keys(keys: tuple[int, ...], by_type: tuple[tuple[str, tuple[int, ...]], ...]) -> _Keys:
    given = dict(by_type)
    limited = {name: tuple(key for key in own if key not in _LOCAL_ONLY) for name, own in by_type}
    return _Keys(
        local={name: given.get(name, keys) or (LINK_KEY,) for name in resource_types()},
        limited=limited,
        open=keys,
        every=tuple(dict.fromkeys((*keys, *(key for own in limited.values() for key in own)))),
    )


def reference(keys: tuple[int, ...], by_type: Mapping[str, tuple[int, ...]]) -> Visit:
    """A Reference.

    Args:
        keys: Parameters that index it whatever it points to.
        by_type: For some target types all keys that index it: those of `keys`, those that are
            limited to the type and the compartment's.
    """
    own = _keys(keys, tuple(by_type.items()))
    local = own.local

    def visit(element: dict[str, Any], found: Found) -> None:
        text = element.get("reference")
        if text is not None:
            kind, _, logical_id = text.partition("/")
            rows = local.get(kind)
            if rows is not None and logical_id and "/" not in logical_id and "#" not in logical_id:
                for key in rows:
                    found.references.append(_new(ReferenceRow, (key, kind, logical_id, "", "")))
            else:
                _note_other(text, element, own, found)
        if "identifier" in element:
            _note_identifier(element, own, found)

    return visit


def _note_other(text: str, element: dict[str, Any], own: _Keys, found: Found) -> None:
    """A reference that is not just `Type/id`: versioned, absolute, logical."""
    versioned = _VERSIONED(text)
    if versioned is not None and versioned[1] in own.local:
        kind, logical_id, version = versioned.groups()
        for key in own.local[kind]:
            row = (key, kind, logical_id, "", "" if key in _LOCAL_ONLY else version)
            found.references.append(_new(ReferenceRow, row))
        return
    parts = parse(text, found.base)
    if parts.kind == "relative":
        for key in own.local[parts.type]:
            version = "" if key in _LOCAL_ONLY else parts.version
            row = (key, parts.type, parts.id, "", version)
            found.references.append(_new(ReferenceRow, row))
    elif parts.kind != "contained":
        for key in own.limited.get(parts.type or element.get("type", ""), own.open):
            row = (key, "", "", parts.url, parts.version)
            found.references.append(_new(ReferenceRow, row))


def _note_identifier(element: dict[str, Any], own: _Keys, found: Found) -> None:
    identifier = element["identifier"]
    system, value = identifier.get("system", ""), identifier.get("value", "")
    kind = element.get("type", "")
    if system or value:
        for key in own.limited.get(kind, own.open) if kind else own.every:
            found.tokens.append(_new(TokenRow, (key, system, value, "", IDENTIFIER)))


def canonical(keys: tuple[int, ...]) -> Visit:
    """A canonical: its url, and its version apart."""

    def visit(element: str, found: Found) -> None:
        url, version, _ = split_canonical(element)
        if url:
            for key in keys:
                found.references.append(_new(ReferenceRow, (key, "", "", url, version)))

    return visit


def uri(keys: tuple[int, ...]) -> Visit:
    """A uri, which may be a literal reference."""

    def visit(element: str, found: Found) -> None:
        parts = parse(element, found.base)
        if parts.kind == "contained":
            return
        if parts.kind == "relative":
            row = (parts.type, parts.id, "", parts.version)
        else:
            row = ("", "", parts.url, parts.version)
        for key in keys:
            found.references.append(_new(ReferenceRow, (key, *row)))

    return visit


def resource(keys: tuple[int, ...], target: str = "") -> Visit:
    """A resource inside a Bundle.

    Args:
        keys: Parameters that index it.
        target: Only resources of this type; "" any.
    """

    def visit(element: dict[str, Any], found: Found) -> None:
        kind, logical_id = element.get("resourceType"), element.get("id")
        if kind and logical_id and target in ("", kind):
            for key in keys:
                found.references.append(_new(ReferenceRow, (key, kind, logical_id, "", "")))

    return visit
