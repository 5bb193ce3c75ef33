"""Parameters that shape the answer (https://hl7.org/fhir/R4/search.html#return).

`_sort`, `_count`, `_total`, `_summary`, `_elements`, `_include`, `_revinclude`, `_contained`,
and the hub's own `_cursor` and `_explain`. Called by `hub.search.parse`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast, get_args

from hub.definitions import SearchParameter, is_resource_type
from hub.messages import Phrase
from hub.search.parsing.reading import Reading, UnknownParameter, refuse
from hub.search.query import Explained, Include, SortKey, TotalMode
from hub.search.traits import targets_of

_SUMMARIES = frozenset(["true", "text", "data", "count", "false"])
_TOTALS = frozenset(get_args(TotalMode))
_EXPLAINED = frozenset(["true", "sql", "false"])
_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*")
_SORTABLE = frozenset(["string", "token", "reference", "date", "number", "quantity", "uri"])
_MOST_ELEMENTS = 200
_MOST_SORT_KEYS = 8
_MOST_INCLUDES = 64
_LARGEST_COUNT = 2**31
_INCLUDE_PARTS = 3


@dataclass(slots=True)
class Results:
    """What the result parameters said.

    Attributes:
        sort: Keys in order.
        count: Page size, None when not said.
        total: How to count, None when not said.
        summary: `_summary`, "" when not said or false.
        elements: `_elements`.
        includes: `_include` and `_revinclude`.
        cursor: `_cursor`, "" on the first page.
        explain: `_explain` value, "" if none.
    """

    sort: tuple[SortKey, ...] = ()
    count: int | None = None
    total: TotalMode | None = None
    summary: str = ""
    elements: tuple[str, ...] = ()
    includes: list[Include] = field(default_factory=list)
    cursor: str = ""
    explain: Explained = ""


Reader = Callable[[Reading, Sequence[str], Results, str, str], None]
"""Notes one parameter: reading, types searched, results, modifier, text."""


def _sort(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    keys: list[SortKey] = []
    for piece in filter(None, text.split(",")):
        code = piece.removeprefix("-").strip()
        keys.append(SortKey(_sort_parameter(reading, types, code), piece.startswith("-")))
    if len(keys) > _MOST_SORT_KEYS:
        refuse("too-costly", "search-too-many-values", name="_sort", limit=_MOST_SORT_KEYS)
    results.sort = tuple(keys)


def _sort_parameter(reading: Reading, types: Sequence[str], code: str) -> SearchParameter:
    found = {reading.registry.get(type, code) for type in types or ("Resource",)}
    if len(found) != 1 or None in found:
        raise UnknownParameter(",".join(types) or "Resource", f"_sort={code[:64]}")
    parameter = cast(SearchParameter, found.pop())
    if parameter.type not in _SORTABLE or not parameter.expression:
        refuse("not-supported", "search-sort", code=code)
    return parameter


def _count(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    if not (text.isascii() and text.isdigit()):
        refuse("value", "search-value-invalid", name="_count", expected="0, 1, 2 ...")
    results.count = min(int(text[:12]), _LARGEST_COUNT)


def _total(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    results.total = cast(TotalMode, _one_of("_total", text, _TOTALS))


def _summary(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    chosen = _one_of("_summary", text, _SUMMARIES)
    results.summary = "" if chosen == "false" else chosen


def _elements(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) > _MOST_ELEMENTS or not all(map(_ELEMENT.fullmatch, names)):
        refuse(
            "value", "search-value-invalid", name="_elements", expected=Phrase("names of elements")
        )
    bare = (_without_type(name) for name in names)
    results.elements = tuple(dict.fromkeys((*results.elements, *bare)))


def _without_type(name: str) -> str:
    """`name` of `Patient.name`."""
    head, dot, rest = name.partition(".")
    return rest if dot and is_resource_type(head) else name


def _include(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    results.includes.append(_read_include(reading, "_include", modifier, text))
    _check_includes(results)


def _revinclude(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    results.includes.append(_read_include(reading, "_revinclude", modifier, text))
    _check_includes(results)


def _check_includes(results: Results) -> None:
    if len(results.includes) > _MOST_INCLUDES:
        refuse("too-costly", "search-too-many-values", name="_include", limit=_MOST_INCLUDES)


def _read_include(reading: Reading, name: str, modifier: str, text: str) -> Include:
    if modifier not in ("", "iterate"):
        refuse("not-supported", "search-unknown-modifier", name=name, modifier=modifier)
    iterate, reverse = modifier == "iterate", name == "_revinclude"
    if text == "*":
        return Include("*", "*", "", iterate, reverse)
    parts = text.split(":")
    if not 2 <= len(parts) <= _INCLUDE_PARTS or not all(parts):
        refuse("invalid", "search-include", name=name)
    source, code = parts[0], parts[1]
    target = parts[2] if len(parts) == _INCLUDE_PARTS else ""
    for type in (source, target):
        if type and not is_resource_type(type):
            refuse("not-found", "search-type-unknown", type=type[:64])
    if code != "*":
        parameter = reading.registry.get(source, code)
        if parameter is None:
            raise UnknownParameter(source, f"{name}={source}:{code[:64]}")
        if parameter.type != "reference":
            refuse("invalid", "search-include", name=name)
        targets = targets_of(parameter, source)
        if target and targets and target not in targets:
            refuse("not-found", "search-target-type", name=f"{source}.{code}", target=target)
    return Include(source, code, target, iterate, reverse)


def _contained(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    if text != "false":
        refuse("not-supported", "search-contained", name="_contained")


def _contained_type(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    refuse("not-supported", "search-contained", name="_containedType")


def _cursor(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    results.cursor = text


def _explain(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    chosen = _one_of("_explain", text, _EXPLAINED)
    results.explain = "" if chosen == "false" else cast(Explained, chosen)


def _representation(
    reading: Reading, types: Sequence[str], results: Results, modifier: str, text: str
) -> None:
    """`_format` and `_pretty` are REST's."""


def _one_of(name: str, text: str, choices: frozenset[str]) -> str:
    if text not in choices:
        refuse("value", "search-value-invalid", name=name, expected=", ".join(sorted(choices)))
    return text


READERS: Mapping[str, Reader] = {
    "_sort": _sort,
    "_count": _count,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    "_include": _include,
    "_revinclude": _revinclude,
    "_contained": _contained,
    "_containedType": _contained_type,
    "_cursor": _cursor,
    "_explain": _explain,
    "_format": _representation,
    "_pretty": _representation,
}
"""Result parameter to what reads it."""

WITH_MODIFIER = frozenset(["_include", "_revinclude"])


def read_result(
    reading: Reading, types: Sequence[str], results: Results, name: str, text: str
) -> bool:
    """Note a result parameter; False if it is none.

    Args:
        reading: The search.
        types: Types searched.
        results: Where it is noted.
        name: Name with its modifier.
        text: Value.

    Raises:
        UnknownParameter: It names a search parameter that is not known.
        BadRequest: Its value is not valid.
    """
    code, _, modifier = name.partition(":")
    reader = READERS.get(code)
    if reader is None:
        return False
    if modifier and code not in WITH_MODIFIER:
        refuse("not-supported", "search-unknown-modifier", name=code, modifier=modifier)
    reader(reading, types, results, modifier, text)
    return True
