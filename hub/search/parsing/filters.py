"""What a `_filter` asks for (https://hl7.org/fhir/R4/search_filter.html).

The operators become the same criteria as prefixes and modifiers do. `ne` means: has a value,
and none that is equal. Called by `hub.search.parse`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn, cast

from hub.definitions import SearchParameter
from hub.search.folding import fold
from hub.search.parsing import values
from hub.search.parsing.criteria import chain_of, has_of
from hub.search.parsing.escapes import split
from hub.search.parsing.filter_grammar import (
    Filter,
    HasStep,
    Logic,
    Step,
    Test,
    parse_filter,
)
from hub.search.parsing.filter_grammar import (
    Not as NotFilter,
)
from hub.search.parsing.reading import Reading, UnknownParameter, invalid, refuse
from hub.search.query import (
    And,
    CompositeValue,
    Criterion,
    DateValue,
    Match,
    Not,
    NumberValue,
    Or,
    Prefix,
    Present,
    StringValue,
    UriValue,
    Value,
)

_SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}
_ORDERED = frozenset(["eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb"])

_SUITABLE: Mapping[str, frozenset[str]] = {
    "string": frozenset(["eq", "ne", "co", "sw", "ew"]),
    "token": frozenset(["eq", "ne", "ss", "sb", "in", "ni"]),
    "reference": frozenset(["eq", "ne", "re"]),
    "uri": frozenset(["eq", "ne", "sw"]),
    "composite": frozenset(["eq", "ne"]),
    "date": _ORDERED | {"co", "po"},
    "number": _ORDERED | {"co"},
    "quantity": _ORDERED,
    "special": frozenset(["eq"]),
}
"""Parameter type to operators; `pr` goes with every type."""

_MODIFIERS: Mapping[tuple[str, str], str] = {
    ("string", "eq"): "equals",
    ("string", "co"): "contains",
    ("string", "sw"): "",
    ("string", "ew"): "ends",
    ("uri", "sw"): "below",
    ("token", "ss"): "below",
    ("token", "sb"): "above",
    ("token", "in"): "in",
    ("token", "ni"): "not-in",
}
"""Parameter type and operator to the modifier that does it."""

_GROUPS: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("Group", "characteristic"): ("characteristic-value", ("code", "value")),
    ("DocumentReference", "relatesTo"): ("relationship", ("target", "code")),
}
"""Names that exist in filters only: `name[code eq x].value eq y` is a composite, whose
components these names stand for in their order."""


def read_filter(reading: Reading, type: str, text: str) -> Criterion:
    """What a filter asks for.

    Args:
        reading: The search.
        type: Resource type searched.
        text: The value of `_filter`.

    Raises:
        BadRequest: It cannot be understood. A name in it that is not known is never ignored:
            that would turn its meaning around.
    """
    try:
        return _criterion(reading, type, parse_filter(text))
    except UnknownParameter as unknown:
        refuse(
            "not-supported",
            "search-unknown-parameter",
            type=unknown.type,
            name=unknown.name[:128],
        )


def _criterion(reading: Reading, type: str, filter: Filter) -> Criterion:
    if isinstance(filter, Logic):
        parts = tuple(_criterion(reading, type, part) for part in filter.filters)
        return And(parts) if filter.operator == "and" else Or(parts)
    if isinstance(filter, NotFilter):
        return Not(_criterion(reading, type, filter.filter))
    return _test(reading, type, filter.path, filter)


def _test(reading: Reading, type: str, path: Sequence[Step | HasStep], test: Test) -> Criterion:
    step, rest = path[0], path[1:]
    if isinstance(step, HasStep):
        return has_of(
            reading,
            type,
            step.source,
            step.code,
            lambda source: _test(reading, source, rest, test),
        )
    if (type, step.name) in _GROUPS:
        return _group(reading, type, step, rest, test)
    code = step.name
    parameter = reading.registry.get(type, code)
    if parameter is None and code == "id":
        parameter = reading.registry.get(type, "_id")
    if parameter is None:
        raise UnknownParameter(type, code)
    if not rest:
        if step.filter is not None or step.type:
            refuse("not-supported", "search-chain-not-reference", name=code, kind=parameter.type)
        return _compare(reading, parameter, test)
    inner = step.filter

    def below(target: str) -> Criterion:
        own = _test(reading, target, rest, test)
        return own if inner is None else And((_criterion(reading, target, inner), own))

    return chain_of(reading, type, parameter, step.type, below)


def _compare(reading: Reading, parameter: SearchParameter, test: Test) -> Criterion:
    """One parameter, operator and value."""
    operator, kind = test.operator, parameter.type
    if operator == "pr":
        if test.value not in ("true", "false"):
            invalid(parameter, "true or false")
        return Present(parameter) if test.value == "true" else Not(Present(parameter))
    if operator not in _SUITABLE[kind]:
        _unsuitable(parameter, operator)
    if kind in ("date", "number", "quantity"):
        return _ordered(reading, parameter, operator, test.value)
    positive = "eq" if operator == "ne" else operator
    modifier = _MODIFIERS.get((kind, positive), "")
    found = Match(parameter, (_value(reading, parameter, positive, test),), modifier)
    return And((Present(parameter), Not(found))) if operator == "ne" else found


def _unsuitable(parameter: SearchParameter, operator: str) -> NoReturn:
    refuse(
        "not-supported",
        "search-filter-operator",
        name=parameter.code,
        operator=operator,
        kind=parameter.type,
    )


def _value(reading: Reading, parameter: SearchParameter, operator: str, test: Test) -> Value:
    if parameter.type == "string":
        folded = fold(test.value)
        if not folded:
            invalid(parameter, "some text")
        return StringValue(test.value, folded)
    if operator in ("in", "ni"):
        return UriValue(test.value)
    if parameter.type == "composite":
        return values.read_composite(reading, parameter, _composite_text(parameter, test.value))
    return values.read(reading, parameter, _with_system(test.value))


def _ordered(reading: Reading, parameter: SearchParameter, operator: str, text: str) -> Criterion:
    if parameter.type == "number":
        # An index row keeps no digits, so that a number "contains" what it equals.
        prefix = _prefix("eq" if operator == "co" else operator)
        value, low, high = values.number_value(parameter, prefix, text)
        return Match(
            parameter,
            (NumberValue(prefix, value, low, high),),
        )
    if parameter.type == "quantity":
        own = values.quantity_value(parameter, _prefix(operator), _with_system(text))
        return Match(parameter, (own,))
    if operator == "po":
        found = values.date_value(reading, parameter, "eq", text)
        return Match(parameter, (replace(found, prefix="ap"),))
    if operator == "co":
        found = values.date_value(reading, parameter, "eq", text)
        # Starts no later and ends no sooner than the value.
        return And(
            (
                Match(parameter, (DateValue("lt", found.low + 1, found.low + 1),)),
                Match(parameter, (DateValue("gt", found.high - 1, found.high - 1),)),
            )
        )
    return Match(parameter, (values.date_value(reading, parameter, _prefix(operator), text),))


def _prefix(operator: str) -> Prefix:
    return cast(Prefix, operator)


def _with_system(text: str) -> str:
    """The text with a predefined name in place of its system written out."""
    pieces = split(text, "|")
    return "|".join([_SYSTEMS.get(piece, piece) for piece in pieces[:-1]] + pieces[-1:])


def _composite_text(parameter: SearchParameter, text: str) -> str:
    """`a$x,b$y` as `x$y`; a plain composite value stays."""
    pieces = split(text, ",")
    if len(pieces) == len(parameter.components) and all("$" in piece for piece in pieces):
        pieces = [piece.partition("$")[2] for piece in pieces]
        return "$".join(map(_with_system, pieces))
    return "$".join(map(_with_system, split(text, "$")))


def _group(
    reading: Reading, type: str, step: Step, rest: Sequence[Step | HasStep], test: Test
) -> Criterion:
    """A name that exists in filters only, as the composite that it stands for."""
    code, names = _GROUPS[type, step.name]
    parameter = reading.registry.get(type, code)
    inner = step.filter
    if parameter is None or not isinstance(inner, Test):
        _refuse_group(step, names)
    texts = {_lone_name(inner): inner, _lone_name(replace(test, path=tuple(rest))): test}
    if texts.keys() != set(names) or inner.operator != "eq" or test.operator not in ("eq", "re"):
        _refuse_group(step, names)
    parts: list[Value] = []
    for part, name in zip(parameter.components, names, strict=True):
        component = reading.registry.component(part.definition)
        if component is None:
            invalid(parameter, part.definition)
        parts.append(values.read(reading, component, _with_system(texts[name].value)))
    return Match(parameter, (CompositeValue(tuple(parts)),))


def _lone_name(test: Test) -> str:
    """The name that a test's path is, "" if it is more than a name."""
    step = test.path[0] if len(test.path) == 1 else None
    is_plain = isinstance(step, Step) and not step.type and step.filter is None
    return step.name if isinstance(step, Step) and is_plain else ""


def _refuse_group(step: Step, names: tuple[str, ...]) -> NoReturn:
    first, second = sorted(names)
    refuse(
        "not-supported",
        "search-filter-syntax",
        position=1,
        expected=f"{step.name}[{first} eq ...].{second} eq ...",
    )
