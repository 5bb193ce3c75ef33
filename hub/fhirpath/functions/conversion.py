"""Conversion: iif, and toX / convertsToX for each System type.

http://hl7.org/fhirpath/N1/#conversion.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.fhirpath import temporal
from hub.fhirpath.arithmetic import bounded, is_number
from hub.fhirpath.code import (
    EMPTY,
    Code,
    computed,
    described,
    focus,
    many,
    not_single,
    system_types,
    value,
)
from hub.fhirpath.errors import FHIRPathSemanticError
from hub.fhirpath.quantity import CALENDAR, Quantity, canonical, named
from hub.fhirpath.site import Function, Site
from hub.fhirpath.temporal import Temporal

_INTEGER = re.compile(r"[+-]?\d{1,19}\Z", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?\Z", re.ASCII)
_QUANTITY = re.compile(
    r"(?P<value>[+-]?\d{1,30}(?:\.\d{1,30})?)\s*(?:'(?P<unit>[^']{1,128})'|(?P<word>[a-z]{3,12}))?\Z",
    re.ASCII,
)
_TRUE = frozenset(["true", "t", "yes", "y", "1", "1.0"])
_FALSE = frozenset(["false", "f", "no", "n", "0", "0.0"])


def to_boolean(found: Any) -> bool | None:
    """The Boolean a System value stands for."""
    if isinstance(found, bool):
        return found
    if is_number(found):
        return {1: True, 0: False}.get(found)
    if isinstance(found, str):
        text = found.lower()
        return True if text in _TRUE else (False if text in _FALSE else None)
    return None


def to_integer(found: Any) -> int | None:
    """The Integer a System value stands for."""
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, int):
        return found
    if isinstance(found, str) and _INTEGER.match(found):
        number = bounded(int(found))
        return number if isinstance(number, int) else None
    return None


def to_decimal(found: Any) -> Decimal | None:
    """The Decimal a System value stands for."""
    if is_number(found) or isinstance(found, bool):
        return Decimal(found)
    if isinstance(found, str) and _DECIMAL.match(found):
        return Decimal(found)
    return None


def to_string(found: Any) -> str | None:
    """The text of a System value."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, Decimal):
        return format(found, "f")
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | Temporal | Quantity) else None


def to_date(found: Any) -> Temporal | None:
    """The Date a System value stands for; a DateTime loses its time."""
    if isinstance(found, Temporal) and found.kind != "Time":
        return Temporal("Date", found.parts[:3])
    if isinstance(found, str):
        parsed = temporal.parse(found, "DateTime") if not found.startswith("@") else None
        return Temporal("Date", parsed.parts[:3]) if parsed else None
    return None


def to_date_time(found: Any) -> Temporal | None:
    """The DateTime a System value stands for."""
    if isinstance(found, Temporal) and found.kind != "Time":
        return Temporal("DateTime", found.parts, found.fraction, found.zone)
    if isinstance(found, str) and not found.startswith("@"):
        return temporal.parse(found, "DateTime")
    return None


def to_time(found: Any) -> Temporal | None:
    """The Time a System value stands for."""
    if isinstance(found, Temporal):
        return found if found.kind == "Time" else None
    if isinstance(found, str) and not found.startswith("@"):
        return temporal.parse(found.removeprefix("T"), "Time")
    return None


def to_quantity(found: Any) -> Quantity | None:
    """The Quantity a System value stands for; a plain number has the unit `1`."""
    if isinstance(found, Quantity):
        return found
    if isinstance(found, bool) or is_number(found):
        return Quantity(Decimal(found))
    match = _QUANTITY.match(found) if isinstance(found, str) else None
    if match is None:
        return None
    number, unit, word = Decimal(match["value"]), match["unit"], match["word"]
    if word is not None:
        known = word.removesuffix("s") in CALENDAR
        return Quantity(number, word, calendar=True) if known else None
    return named(number, unit) if unit is not None else Quantity(number)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "Boolean": to_boolean,
    "Integer": to_integer,
    "Decimal": to_decimal,
    "String": to_string,
    "Date": to_date,
    "DateTime": to_date_time,
    "Time": to_time,
    "Quantity": to_quantity,
}


def _convert(name: str) -> Callable[[Site], Code]:
    convert = _CONVERSIONS[name]

    def build(site: Site) -> Code:
        if site.source.empty:
            return EMPTY
        run = value(site.source, site.label, site.position)

        def converted(node: Any, context: Any) -> Any:
            found = run(node, context)
            return None if found is None else convert(found)

        return computed(converted, f"System.{name}")

    return build


def _converts(name: str) -> Callable[[Site], Code]:
    convert = _CONVERSIONS[name]

    def build(site: Site) -> Code:
        run = value(site.source, site.label, site.position)

        def judged(node: Any, context: Any) -> Any:
            found = run(node, context)
            return None if found is None else convert(found) is not None

        return computed(judged, "System.Boolean")

    return build


def _in_unit(site: Site) -> Code:
    """toQuantity(unit): converted to that unit, or empty."""
    plain = _convert("Quantity")(site)
    if not site.arguments:
        return plain
    run, unit = plain.run, site.text(0)

    def converted(node: Any, context: Any) -> Any:
        found, wanted = run(node, context), unit(node, context)
        if found is None or wanted is None:
            return None
        one = named(Decimal(1), wanted)
        amount, own = canonical(found)
        factor, other = canonical(one)
        if own != other or not factor:
            return None
        return Quantity(amount / factor, wanted, one.calendar)

    return computed(converted, "System.Quantity")


def _converts_to_unit(site: Site) -> Code:
    if not site.arguments:
        return _converts("Quantity")(site)
    run, converted = value(site.source, site.label, site.position), _in_unit(site).run

    def judged(node: Any, context: Any) -> Any:
        if run(node, context) is None:
            return None
        return converted(node, context) is not None

    return computed(judged, "System.Boolean")


def _iif(site: Site) -> Code:
    """iif(): only the branch that is chosen is evaluated; `$this` is the input."""
    source = site.source
    inner = focus(source.types, source.raw, single=False) if site.origin else source
    bodies = [site.body(index, inner).code for index in range(len(site.arguments))]
    criterion, *branches = bodies
    known = system_types(criterion)
    if known and "System.Boolean" not in known and site.compiler.strict:
        raise FHIRPathSemanticError(
            "fhirpath-bad-argument", site.position, name=site.name, expected="a Boolean"
        )
    test = site.truth(criterion)
    then = described(branches[0])
    otherwise = described(branches[1]) if len(branches) > 1 else None
    types: tuple[str, ...] | None = ()
    for branch in branches:
        types = None if types is None or branch.types is None else (*types, *branch.types)

    def choose(node: Any, context: Any) -> Any:
        if test(node, context):
            return then(node, context)
        return otherwise(node, context) if otherwise is not None else ()

    if not site.origin:
        return Code(choose, False, types)
    sequence = many(source)

    def on_input(node: Any, context: Any) -> Any:
        found = sequence(node, context)
        if len(found) > 1:
            raise not_single(site.label, site.position, len(found))
        return choose(found, context)

    return Code(on_input, False, types)


FUNCTIONS = {
    "iif": Function(_iif, 2, 3),
    **{f"to{name}": Function(_convert(name)) for name in _CONVERSIONS},
    **{f"convertsTo{name}": Function(_converts(name)) for name in _CONVERSIONS},
    "toQuantity": Function(_in_unit, 0, 1),
    "convertsToQuantity": Function(_converts_to_unit, 0, 1),
}
