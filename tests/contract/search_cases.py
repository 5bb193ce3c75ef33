"""Reads the search cases of tests/cases/storage_search: resources, queries, ids expected.

A file holds resources and cases. A resource lists its index rows by parameter; a parameter's
type is in `PARAMETERS`. A case's criterion is a nested list: `["and", ...]`, `["or", ...]`,
`["not", c]`, `["chain", parameter, type, c]`, `["has", type, parameter, c]`,
`["present", parameter]`, `["ids", id ...]`, `["updated", prefix, low, high]`,
`["compartment", type, id]`, `["type", name ...]`, `["words", field, word ...]`, `["list", id]`,
or `[parameter, value ...]`, with a modifier as in `name:exact`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.definitions import search_parameters_of
from hub.definitions.shapes import SearchParameter
from hub.model import dates
from hub.search.folding import fold, query_words, words
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    NearValue,
    Not,
    NumberValue,
    OfType,
    Or,
    Present,
    QuantityValue,
    Query,
    ReferenceValue,
    SortKey,
    StringValue,
    TokenValue,
    UriValue,
    Words,
)
from hub.search.values import (
    COMPARTMENT_KEY,
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
from hub.storage.port import Write
from tests.contract.commits import tail

FOLDER = Path(__file__).parents[1] / "cases" / "storage_search"
ZONE = "Asia/Shanghai"
UCUM = "http://unitsofmeasure.org"
CANONICAL = {"mg": (Decimal("0.001"), "g"), "g": (Decimal(1), "g"), "mm": (Decimal("0.001"), "m")}


def _parameter(key: int, code: str, type: str, *base: str, **more: Any) -> SearchParameter:
    return SearchParameter(key, f"urn:test:{code}", code, type, base or ("Resource",), "", **more)


PARAMETERS = {
    one.code: one
    for one in (
        _parameter(1, "_id", "token"),
        _parameter(2, "_lastUpdated", "date"),
        _parameter(3, "_profile", "uri"),
        _parameter(101, "name", "string"),
        _parameter(102, "address", "string"),
        _parameter(201, "code", "token"),
        _parameter(202, "status", "token"),
        _parameter(203, "identifier", "token"),
        _parameter(302, "birthdate", "date"),
        _parameter(401, "subject", "reference", targets=("Patient", "Group")),
        _parameter(402, "part-of", "reference"),
        _parameter(501, "probability", "number"),
        _parameter(601, "value-quantity", "quantity"),
        _parameter(701, "url", "uri"),
        _parameter(801, "code-value-quantity", "composite"),
        _parameter(802, "code-value-code", "composite"),
        _parameter(901, "near", "special"),
    )
} | {
    "date": search_parameters_of("Observation")["date"],
    "item": search_parameters_of("List")["item"],
}


@dataclass(frozen=True)
class Case:
    """One search and what it finds.

    Attributes:
        name: For the report.
        query: The query; its count covers all unless the case gives one.
        expected: `Type/id` in order.
        any_order: Compare as a set.
    """

    name: str
    query: Query
    expected: list[str]
    any_order: bool


def case_files() -> list[Path]:
    return sorted(FOLDER.glob("*.toml"))


def read_cases(file: Path) -> tuple[list[Write], list[Case]]:
    """Writes that make a file's resources, in order, and its cases."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    writes = [_write(one) for one in content["resource"]]
    return writes, [_case(one) for one in content["case"]]


# --- resources ------------------------------------------------------------------------------


def _write(one: dict[str, Any]) -> Write:
    type, id = one.pop("is").split("/")
    rows = index_rows(**one)
    return Write("PUT", type, id, tail(id), rows)


def index_rows(
    date: str = "", text: str = "", content: str = "", compartment: Any = (), **values: Any
) -> IndexRows:
    """Index rows from lists of values by parameter code."""
    found: dict[str, list[Any]] = {}
    for code, given in values.items():
        parameter = PARAMETERS[code]
        for one in given if isinstance(given, list) else [given]:
            kind, row = _row(parameter, one)
            found.setdefault(kind, []).append(row)
    for target in compartment:
        row = ReferenceRow(COMPARTMENT_KEY, *target.split("/"))
        found.setdefault("references", []).append(row)
    return IndexRows(
        **{kind: tuple(rows) for kind, rows in found.items()},
        date=dates.parse(date, ZONE)[0] if date else 0,
        text=" ".join(words(text)),
        content=" ".join(words(content)),
    )


def _row(parameter: SearchParameter, given: Any) -> tuple[str, Any]:
    key = parameter.key
    match parameter.type:
        case "string":
            return "strings", StringRow(key, fold(given), given)
        case "token":
            return "tokens", _token(key, given)
        case "reference" if isinstance(given, str) and given.startswith("#"):
            return "tokens", _token(key, given.removeprefix("#"))._replace(kind="identifier")
        case "reference":
            return "references", _reference(key, given)
        case "date":
            return "dates", DateRow(key, *_range(given))
        case "number":
            low, high = given if isinstance(given, list) else (given, given)
            return "numbers", NumberRow(key, float(low), float(high))
        case "quantity":
            return "quantities", _quantity(key, given)
        case "uri":
            return "uris", UriRow(key, given)
        case "composite":
            first, second = given.split("$")
            coded = _token(0, first)
            is_quantity = parameter.code == "code-value-quantity"
            other = _quantity(1, second) if is_quantity else _token(1, second)._replace(key=1)
            return "composites", CompositeRow(key, (coded, other))
        case _:
            return "positions", PositionRow(key, *map(float, given.split("|")))


def _token(key: int, given: str) -> TokenRow:
    """`system|code text`, or `of-type:...`."""
    if given.startswith("of-type:"):
        return TokenRow(key, "", given.removeprefix("of-type:"), "", "of-type")
    coded, _, text = given.partition(" ")
    system, _, code = coded.rpartition("|")
    return TokenRow(key, system, code, fold(text))


def _reference(key: int, given: str) -> ReferenceRow:
    """`Type/id`, `Type/id/_history/1`, or `url` and `url|version`."""
    if ":" in given:
        url, _, version = given.partition("|")
        return ReferenceRow(key, "", "", url, version)
    target, _, version = given.partition("/_history/")
    return ReferenceRow(key, *target.split("/"), "", version)


def _range(given: str) -> tuple[int, int]:
    """A date, or `start..end` with an open end left out."""
    if ".." not in given:
        return dates.parse(given, ZONE)
    start, end = given.split("..")
    low = dates.parse(start, ZONE)[0] if start else dates.MIN
    return low, dates.parse(end, ZONE)[1] if end else dates.MAX


def _quantity(key: int, given: str) -> QuantityRow:
    """`value unit`; UCUM where `CANONICAL` knows it."""
    number, _, unit = given.partition(" ")
    low, _, high = number.partition("..")
    ends = float(low), float(high or low)
    if unit not in CANONICAL:
        return QuantityRow(key, *ends, "", "", unit, 0.0, 0.0, "")
    factor, canonical = CANONICAL[unit]
    exact = float(Decimal(low) * factor), float(Decimal(high or low) * factor)
    return QuantityRow(key, *ends, UCUM, unit, unit, *exact, canonical)


# --- queries --------------------------------------------------------------------------------


def _case(one: dict[str, Any]) -> Case:
    sort = tuple(
        SortKey(PARAMETERS[code.removeprefix("-")], code.startswith("-"))
        for code in one.get("sort", ())
    )
    types = one.get("types", ["Observation"])
    query = Query(tuple(types), criterion(one.get("where", ["and"])), sort, one.get("count", 1000))
    return Case(one["name"], query, one["finds"], not sort)


def criterion(given: list[Any]) -> Any:
    """A criterion from its nested list."""
    head, *rest = given
    match head:
        case "and":
            return And(tuple(map(criterion, rest)))
        case "or":
            return Or(tuple(map(criterion, rest)))
        case "not":
            return Not(criterion(rest[0]))
        case "chain":
            return Chain(PARAMETERS[rest[0]], rest[1], criterion(rest[2]))
        case "has":
            return Has(rest[0], PARAMETERS[rest[1]], criterion(rest[2]))
        case "present":
            return Present(PARAMETERS[rest[0]])
        case "ids":
            return Ids(tuple(rest))
        case "updated":
            return LastUpdated((DateValue(*rest),))
        case "compartment":
            return InCompartment(*rest)
        case "type":
            return OfType(tuple(rest))
        case "words":
            return Words(rest[0], tuple(query_words(" ".join(rest[1:]))))
        case "list":
            return ListMembers(rest[0])
        case _:
            code, _, modifier = head.partition(":")
            parameter = PARAMETERS[code]
            values = tuple(_value(parameter, one, modifier) for one in rest)
            return Match(parameter, values, modifier)


def _value(parameter: SearchParameter, given: str, modifier: str) -> Any:
    if modifier in ("text", "of-type", "identifier"):
        kind = {"text": "string", "of-type": "of-type", "identifier": "token"}[modifier]
    else:
        kind = parameter.type
    match kind:
        case "string":
            return StringValue(given, fold(given))
        case "of-type":
            return TokenValue(None, given)
        case "token":
            return _token_value(given)
        case "reference":
            row = _reference(0, given if "/" in given or ":" in given else f"?/{given}")
            return ReferenceValue(row.type.strip("?"), row.id, row.url, row.version)
        case "date":
            prefix, rest = _prefix(given)
            return DateValue(prefix, *_range(rest))
        case "number":
            return NumberValue(*_number(given))
        case "quantity":
            return _quantity_value(given)
        case "uri":
            return UriValue(given)
        case "composite":
            first, second = given.split("$")
            is_quantity = parameter.code == "code-value-quantity"
            other = _quantity_value(second) if is_quantity else _token_value(second)
            return CompositeValue((_token_value(first), other))
        case _:
            return NearValue(*map(float, given.split("|")))


def _token_value(given: str) -> TokenValue:
    if "|" not in given:
        return TokenValue(None, given)
    system, _, code = given.rpartition("|")
    return TokenValue(system, code or None)


def _prefix(given: str) -> tuple[Any, str]:
    prefix = given[:2]
    if prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"):
        return prefix, given[2:]
    return "eq", given


def _number(given: str) -> tuple[Any, Decimal, Decimal, Decimal]:
    prefix, digits = _prefix(given)
    value = Decimal(digits)
    if prefix in ("eq", "ne"):
        half = Decimal((0, (5,), int(value.as_tuple().exponent) - 1))
    else:
        half = abs(value) / 10 if prefix == "ap" else Decimal(0)
    return prefix, value, value - half, value + half


def _quantity_value(given: str) -> QuantityValue:
    """`number`, `number||unit` or `number|system|unit`; UCUM is written `u`."""
    number, *unit = given.split("|")
    ends = _number(number)
    if not unit or unit[0] != "u":
        return QuantityValue(*ends, (unit[0] or None) if unit else None, unit[1] if unit else "")
    factor, canonical = CANONICAL[unit[1]]
    exact = [end * factor for end in ends[1:]]
    return QuantityValue(*ends, UCUM, unit[1], *exact, canonical)
