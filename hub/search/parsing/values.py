"""Search values by parameter type (https://hl7.org/fhir/R4/search.html#ptypes).

One function per type; `read` finds it in a table. Called by `hub.search.parsing.criteria` and
`hub.search.parsing.filters`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import cast

from hub.definitions import SearchParameter
from hub.model import dates, quantity
from hub.model.identity import valid_id
from hub.model.reference import parse as parse_reference
from hub.model.reference import split_canonical
from hub.search.folding import fold
from hub.search.parsing.escapes import split, unescape
from hub.search.parsing.near import read_near
from hub.search.parsing.reading import Reading, invalid
from hub.search.query import (
    CompositeValue,
    DateValue,
    NumberValue,
    Prefix,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)
from hub.search.traits import Traits, traits_of

Reader = Callable[[Reading, SearchParameter, str], Value]

_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL).fullmatch
_TENTH = 10
_SPECIAL_VALUES = "http://hl7.org/fhir/special-values"
_QUANTITY_PIECES = (1, 3)


def read(reading: Reading, parameter: SearchParameter, text: str) -> Value:
    """One value of a parameter without a modifier.

    Args:
        reading: The search.
        parameter: Any but those with a syntax of their own (`_text`, `_list` ...).
        text: One of its values, still escaped.

    Raises:
        BadRequest: It is no value of the parameter's type.
    """
    return _READERS[parameter.type](reading, parameter, text)


def read_string(reading: Reading, parameter: SearchParameter, text: str) -> StringValue:
    """A string as written and folded."""
    plain = unescape(text)
    folded = fold(plain)
    if not folded:
        invalid(parameter, "some text")
    return StringValue(plain, folded)


def read_token(reading: Reading, parameter: SearchParameter, text: str) -> TokenValue:
    """`code`, `system|code`, `|code` or `system|`."""
    traits = traits_of(parameter)
    pieces = split(text, "|", 1)
    if len(pieces) == 1:
        return TokenValue(None, _code(traits, unescape(text)))
    if traits.types == {"ContactPoint"}:
        invalid(parameter, "a value without |")
    system, code = unescape(pieces[0]), unescape(pieces[1])
    if not system and not code:
        invalid(parameter, "code, system|code, |code or system|")
    if system in traits.systems or (system == _SPECIAL_VALUES and traits.types == {"boolean"}):
        system = ""
    return TokenValue(system, _code(traits, code) if code else None)


def read_concept(reading: Reading, parameter: SearchParameter, text: str) -> TokenValue:
    """A concept that terminology is asked about, `system|code` as written.

    The system may be left out where the elements that are searched imply it.
    """
    pieces = [unescape(piece) for piece in split(text, "|", 1)]
    if len(pieces) == 2:
        return TokenValue(pieces[0], pieces[1])
    systems = traits_of(parameter).systems
    return TokenValue(next(iter(systems)) if len(systems) == 1 else None, pieces[0])


def _code(traits: Traits, code: str) -> str:
    return code if traits.folding is None else traits.folding(code)


def read_of_type(reading: Reading, parameter: SearchParameter, text: str) -> TokenValue:
    """`type-system|type-code|value`; all three are needed."""
    pieces = [unescape(piece) for piece in split(text, "|", 2)]
    if len(pieces) != 3 or not all(pieces):
        invalid(parameter, "type-system|type-code|value")
    pieces[2] = _code(traits_of(parameter), pieces[2])
    return TokenValue(None, "|".join(pieces))


def read_identifier(reading: Reading, parameter: SearchParameter, text: str) -> TokenValue:
    """The identifier of a Reference, compared as written."""
    pieces = split(text, "|", 1)
    if len(pieces) == 1:
        return TokenValue(None, unescape(text))
    system, code = unescape(pieces[0]), unescape(pieces[1])
    if not system and not code:
        invalid(parameter, "value, system|value, |value or system|")
    return TokenValue(system, code or None)


def read_reference(reading: Reading, parameter: SearchParameter, text: str) -> ReferenceValue:
    """An id, `Type/id`, a url or a canonical with its version."""
    plain = unescape(text)
    if traits_of(parameter).is_canonical:
        return _canonical(reading, plain)
    if valid_id(plain):
        return ReferenceValue("", plain)
    parts = parse_reference(plain, reading.base)
    if parts.kind == "relative":
        return ReferenceValue(parts.type, parts.id, version=parts.version)
    if parts.kind == "contained" or not parts.url:
        invalid(parameter, "an id, Type/id or a url")
    if "|" in parts.url:
        return _canonical(reading, plain)
    return ReferenceValue("", "", parts.url, parts.version)


def _canonical(reading: Reading, text: str) -> ReferenceValue:
    url, version, _ = split_canonical(text)
    return ReferenceValue("", "", url, version)


def absolute(reading: Reading, value: Value) -> tuple[Value, ...]:
    """A canonical as written and, when it is relative, also below the hub's base."""
    if not isinstance(value, ReferenceValue) or not value.url or ":" in value.url:
        return (value,)
    return (value, replace(value, url=f"{reading.base}/{value.url}"))


def read_uri(reading: Reading, parameter: SearchParameter, text: str) -> UriValue:
    """A uri, as written."""
    return UriValue(unescape(text))


def read_date(reading: Reading, parameter: SearchParameter, text: str) -> DateValue:
    """A prefix and a date of any precision."""
    prefix, rest = prefixed(unescape(text))
    return date_value(reading, parameter, prefix, rest)


def date_value(
    reading: Reading, parameter: SearchParameter, prefix: Prefix, text: str
) -> DateValue:
    """A date with its prefix; `ap` widens it by a tenth of its distance from now.

    Args:
        reading: The search.
        parameter: Whose value it is.
        prefix: The prefix.
        text: The date. A space stands for the + that a client forgot to escape.
    """
    try:
        low, high = dates.parse(text.replace(" ", "+"), reading.zone)
    except ValueError:
        invalid(parameter, "a date as 2026, 2026-03, 2026-03-01 or 2026-03-01T08:00:00+08:00")
    if prefix == "ap":
        distance = abs(reading.now - (low + high) // 2) // _TENTH
        low, high = low - distance, high + distance
    return DateValue(prefix, low, high)


def read_number(reading: Reading, parameter: SearchParameter, text: str) -> NumberValue:
    """A prefix and a number."""
    prefix, rest = prefixed(unescape(text))
    value, low, high = number_value(parameter, prefix, rest)
    return NumberValue(prefix, value, low, high)


def number_value(
    parameter: SearchParameter, prefix: Prefix, text: str
) -> tuple[Decimal, Decimal, Decimal]:
    """A number, and the range it stands for with its prefix.

    Args:
        parameter: Whose value it is.
        prefix: eq and ne: the range its digits imply; ap: a tenth around; else the number.
        text: The number.
    """
    try:
        value = quantity.parse_number(text)
    except ValueError:
        invalid(parameter, "a number")
    if prefix in ("eq", "ne"):
        return value, *quantity.implied_range(value)
    if prefix == "ap":
        around = abs(value) / _TENTH
        return value, value - around, value + around
    return value, value, value


def read_quantity(reading: Reading, parameter: SearchParameter, text: str) -> QuantityValue:
    """A prefix and `number`, `number|system|code` or `number||code`."""
    prefix, rest = prefixed(text)
    return quantity_value(parameter, prefix, rest)


def quantity_value(parameter: SearchParameter, prefix: Prefix, text: str) -> QuantityValue:
    """A quantity with its prefix.

    Args:
        parameter: Whose value it is.
        prefix: As in `number_value`.
        text: `number|system|code`, still escaped.
    """
    pieces = [unescape(piece) for piece in split(text, "|")]
    if len(pieces) not in _QUANTITY_PIECES:
        invalid(parameter, "number, number|system|code or number||code")
    value, low, high = number_value(parameter, prefix, pieces[0])
    system, code = (pieces[1] or None, pieces[2]) if len(pieces) > 1 else (None, "")
    if not code or system is None:
        return QuantityValue(prefix, value, low, high, system, code)
    canonical = [quantity.canonical(number, code, system) for number in (value, low, high)]
    if canonical[0] is None or canonical[1] is None or canonical[2] is None:
        return QuantityValue(prefix, value, low, high, system, code)
    unit = canonical[0][1]
    exact, lower, upper = canonical[0][0], canonical[1][0], canonical[2][0]
    return QuantityValue(prefix, value, low, high, system, code, exact, lower, upper, unit)


def read_composite(reading: Reading, parameter: SearchParameter, text: str) -> CompositeValue:
    """One value per component, joined by `$`."""
    pieces = split(text, "$")
    if len(pieces) != len(parameter.components) or not all(pieces):
        invalid(parameter, "$".join(part.expression for part in parameter.components))
    parts: list[Value] = []
    for piece, part in zip(pieces, parameter.components, strict=True):
        component = reading.registry.component(part.definition)
        if component is None:
            invalid(parameter, part.definition)
        parts.append(read(reading, component, piece))
    return CompositeValue(tuple(parts))


def prefixed(text: str) -> tuple[Prefix, str]:
    """The prefix of a value, `eq` if it has none, and the rest.

    Args:
        text: A value of an ordered type.
    """
    found = _PREFIXED(text)
    prefix, rest = found.groups() if found is not None else (None, text)
    return cast(Prefix, prefix or "eq"), rest


_READERS: Mapping[str, Reader] = {
    "string": read_string,
    "token": read_token,
    "reference": read_reference,
    "uri": read_uri,
    "date": read_date,
    "number": read_number,
    "quantity": read_quantity,
    "composite": read_composite,
    "special": read_near,
}
