"""Index rows in words, by search parameter, for the extraction cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.search import registry
from hub.search.explain import moment
from hub.search.extract import extract
from hub.search.values import (
    COMPARTMENT_KEY,
    LINK_KEY,
    CompositeRow,
    DateRow,
    IndexRows,
    NumberRow,
    PositionRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)
from tests.search.reading import BASE, ZONE

CORE = registry.core()
_FIELDS = (
    "strings", "tokens", "references", "dates", "numbers", "quantities", "uris", "positions",
    "composites",
)  # fmt: skip


def indexed(resource: dict[str, Any]) -> IndexRows:
    """The rows of a resource."""
    return extract(CORE, resource, zone=ZONE, base=BASE)


def said(resource: dict[str, Any]) -> dict[str, Any]:
    """All rows by parameter code, with `(compartment)`, `(link)`, `(text)` and the like."""
    names = {one.key: one.code for one in CORE.of(resource["resourceType"]).values()}
    names |= {COMPARTMENT_KEY: "(compartment)", LINK_KEY: "(link)"}
    rows = indexed(resource)
    found: dict[str, Any] = {}
    for field in _FIELDS:
        for row in getattr(rows, field):
            found.setdefault(names[row.key], []).append(say(row))
    if rows.date:
        found["(date)"] = moment(rows.date)
    if rows.text:
        found["(text)"] = rows.text
    if rows.content:
        found["(content)"] = rows.content
    return dict(sorted(found.items()))


def say(row: Any) -> str:
    """One row."""
    match row:
        case StringRow(_, folded, exact):
            return exact if folded == exact else f"{exact} ~ {folded}"
        case TokenRow(_, system, code, text, kind):
            token = f"{system}|{code}" + (f" {text!r}" if text else "")
            return token if kind == "code" else f"{kind} {token}"
        case ReferenceRow(_, kind, logical_id, url, version):
            target = url or f"{kind}/{logical_id}"
            return f"{target} version {version}" if version else target
        case DateRow(_, low, high):
            return f"[{moment(low)}..{moment(high)})"
        case NumberRow(_, low, high):
            return _range(low, high)
        case QuantityRow():
            return _quantity(row)
        case UriRow(_, uri):
            return uri
        case PositionRow(_, latitude, longitude):
            return f"{latitude} {longitude}"
        case CompositeRow(_, parts):
            return _composite(parts)
    raise TypeError(type(row))


def _composite(parts: Iterable[Any]) -> str:
    assert [part.key for part in parts] == list(range(len(list(parts))))
    return " $ ".join(map(say, parts))


def _quantity(row: QuantityRow) -> str:
    text = f"{_range(row.low, row.high)} {row.system}|{row.code}|{row.unit}"
    if not row.canonical_unit:
        assert (row.canonical_low, row.canonical_high) == (0, 0)
        return text
    return f"{text} = {_range(row.canonical_low, row.canonical_high)} {row.canonical_unit}"


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"
