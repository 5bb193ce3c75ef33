"""A search in words: the criteria, and what each rule made of them.

For `_explain=true` and the `explain` command; test cases are written in the same form. A store
adds its plan (`Store.explain`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.model import dates
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    Criterion,
    DateValue,
    Has,
    Ids,
    Include,
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
    SearchRequest,
    StringValue,
    TokenValue,
    UriValue,
    Value,
    Words,
)
from hub.search.rewrite import RewriteContext, trace

_EDGE = {dates.MIN: "-inf", dates.MAX: "inf"}


def lines(request: SearchRequest, context: RewriteContext) -> list[str]:
    """The search as it was read and after each rule that changed it.

    Args:
        request: From `hub.search.parse`.
        context: As for `hub.search.rewrite.apply_rules`, with its expansions.
    """
    found = [f"read: {describe_query(request.query)}"]
    found += [f"{rule}: {describe_query(query)}" for rule, query in trace(request.query, context)]
    found += [f"then: {describe_include(include)}" for include in request.includes]
    found += [f"ignored: {name}" for name in request.ignored]
    found += [f"ignored, has no value: {name}" for name in request.empty]
    return found


def describe_query(query: Query) -> str:
    """A query in one line.

    Args:
        query: Any query.
    """
    said = f"{','.join(query.types) or '*'}: {describe(query.criterion)}"
    if query.sort:
        keys = (f"{'-' if key.descending else ''}{key.parameter.code}" for key in query.sort)
        said += f" sort {','.join(keys)}"
    said += f" count {query.count}"
    if query.total != "none":
        said += f" total {query.total}"
    return said if query.after is None else f"{said} after a cursor"


def describe_include(include: Include) -> str:
    """An include in one line."""
    name = "_revinclude" if include.reverse else "_include"
    said = f"{name}{':iterate' if include.iterate else ''} {include.source}:{include.code}"
    return f"{said}:{include.target}" if include.target else said


def name_of(criterion: Criterion) -> str:
    """What a criterion asks for, without its values.

    Args:
        criterion: Any criterion.
    """
    match criterion:
        case Match(parameter, _, modifier):
            return f"{parameter.code}:{modifier}" if modifier else parameter.code
        case Present(parameter):
            return f"any {parameter.code}"
        case Chain(parameter, target, inner):
            return f"{parameter.code}:{target}.{_inner_name(inner)}"
        case Has(source, parameter, inner):
            return f"_has:{source}:{parameter.code}:{_inner_name(inner)}"
        case InCompartment(name):
            return f"{name} compartment"
        case And(criteria):
            return " and ".join(map(name_of, criteria)) or "everything"
        case Or(criteria):
            return f"({' or '.join(dict.fromkeys(map(name_of, criteria)))})"
        case Not(inner):
            return f"not {_inner_name(inner)}"
        case _:
            return _NAMES[type(criterion)]


def _inner_name(criterion: Criterion) -> str:
    said = name_of(criterion)
    return f"({said})" if isinstance(criterion, And) else said


_NAMES: Mapping[type, str] = {
    Ids: "_id",
    LastUpdated: "_lastUpdated",
    OfType: "_type",
    Words: "words of the text",
    ListMembers: "_list",
}


def describe(criterion: Criterion) -> str:
    """A criterion in one line.

    Args:
        criterion: Any criterion.
    """
    return _CRITERIA[type(criterion)](criterion)


def _describe_match(match: Match) -> str:
    modifier = f":{match.modifier}" if match.modifier else ""
    values = ", ".join(map(describe_value, match.values))
    return f"{match.parameter.code}{modifier}({values})"


def _joined(name: str, parts: tuple[Criterion, ...]) -> str:
    return f"{name}({', '.join(map(describe, parts))})"


_CRITERIA: Mapping[type, Callable[[Any], str]] = {
    Match: _describe_match,
    Present: lambda own: f"Present({own.parameter.code})",
    Ids: lambda own: f"Ids({', '.join(own.ids)})",
    LastUpdated: lambda own: f"LastUpdated({', '.join(map(describe_value, own.values))})",
    Chain: lambda own: f"Chain({own.parameter.code} -> {own.target}: {describe(own.criterion)})",
    Has: lambda own: f"Has({own.source}.{own.parameter.code}: {describe(own.criterion)})",
    InCompartment: lambda own: f"InCompartment({own.name}/{own.id})",
    OfType: lambda own: f"OfType({', '.join(own.types)})",
    Words: lambda own: f"Words({own.field}: {' '.join(own.words)})",
    ListMembers: lambda own: f"ListMembers({own.list_id})",
    And: lambda own: _joined("And", own.criteria),
    Or: lambda own: _joined("Or", own.criteria),
    Not: lambda own: f"Not({describe(own.criterion)})",
}


def describe_value(value: Value) -> str:
    """A search value as the store gets it.

    Args:
        value: Any value.
    """
    return _VALUES[type(value)](value)


def _describe_token(value: TokenValue) -> str:
    if value.system is None:
        return value.code or ""
    return f"{value.system}|{value.code or ''}"


def _describe_reference(value: ReferenceValue) -> str:
    if value.url:
        return f"<{value.url}>" + (f"|{value.version}" if value.version else "")
    version = f"/_history/{value.version}" if value.version else ""
    return f"{value.type or '?'}/{value.id}{version}"


def _describe_quantity(value: QuantityValue) -> str:
    said = f"{value.prefix} {_number(value)}"
    if value.system is not None or value.code:
        said += f" |{value.system or ''}|{value.code}"
    if value.canonical_unit:
        canonical = (value.canonical_low, value.canonical_value, value.canonical_high)
        said += f" = {'..'.join(f'{part:f}' for part in canonical)} {value.canonical_unit}"
    return said


def _number(value: NumberValue | QuantityValue) -> str:
    if value.low == value.high:
        return f"{value.value:f}"
    return f"{value.value:f} [{value.low:f}..{value.high:f})"


def moment(value: int) -> str:
    """A moment of a date range, in UTC; `-inf` and `inf` for open ends.

    Args:
        value: Microseconds since the epoch.
    """
    if value in _EDGE:
        return _EDGE[value]
    try:
        moment = dates.from_microseconds(value).isoformat()
    except OverflowError:
        return str(value)
    return moment.removesuffix("+00:00") + "Z"


_VALUES: Mapping[type, Callable[[Any], str]] = {
    StringValue: lambda own: (
        f'"{own.folded}"' if own.folded == own.text else (f'"{own.text}" ~ "{own.folded}"')
    ),
    TokenValue: _describe_token,
    ReferenceValue: _describe_reference,
    DateValue: lambda own: f"{own.prefix} [{moment(own.low)}..{moment(own.high)})",
    NumberValue: lambda own: f"{own.prefix} {_number(own)}",
    QuantityValue: _describe_quantity,
    UriValue: lambda own: f"<{own.uri}>",
    NearValue: lambda own: f"{own.metres:g} m around {own.latitude:g} {own.longitude:g}",
    CompositeValue: lambda own: " $ ".join(map(describe_value, own.parts)),
}
