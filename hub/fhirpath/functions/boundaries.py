"""lowBoundary, highBoundary, precision, comparable.

https://hl7.org/fhir/R4/fhirpath.html#functions and the current build of FHIRPath: a value stands
for all values that would round to it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from hub.fhirpath import quantity, temporal
from hub.fhirpath.arithmetic import is_number
from hub.fhirpath.code import EMPTY, Code, computed, system_types, value
from hub.fhirpath.quantity import Quantity
from hub.fhirpath.site import Function, Site
from hub.fhirpath.temporal import Temporal

DEFAULT_PLACES = 8
MAX_PLACES = 31


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def decimal_boundary(number: Decimal, places: int | None, high: bool) -> Decimal | None:
    """The lowest or highest number that rounds to this one.

    Args:
        number: With its digits: 1.0 stands for 0.95 to 1.05.
        places: Decimal places of the answer, 0 to 31; the answer never lies inside. A number
            that rounds to zero at that many places has the boundary zero.
        high: The highest.
    """
    places = DEFAULT_PLACES if places is None else places
    if not 0 <= places <= MAX_PLACES:
        return None
    with localcontext(prec=99):
        half = Decimal(5).scaleb(-_places(number) - 1)
        step = Decimal(1).scaleb(-places)
        if not number.quantize(step, rounding=ROUND_HALF_UP) and number:
            return number.quantize(step, rounding=ROUND_HALF_UP)
        edge = number + half if high else number - half
        return edge.quantize(step, rounding=ROUND_CEILING if high else ROUND_FLOOR)


def _boundary(high: bool) -> Callable[[Site], Code]:
    def build(site: Site) -> Code:
        if site.source.empty:
            return EMPTY
        source = value(site.source, site.label, site.position)
        digits = site.integer(0) if site.arguments else None

        def run(node: Any, context: Any) -> Any:
            found = source(node, context)
            wanted = digits(node, context) if digits is not None else None
            if found is None or (digits is not None and wanted is None):
                return None
            if isinstance(found, Temporal):
                return temporal.boundary(found, wanted, high)
            if is_number(found):
                return decimal_boundary(Decimal(found), wanted, high)
            if isinstance(found, Quantity):
                edge = decimal_boundary(found.value, wanted, high)
                return None if edge is None else Quantity(edge, found.unit, found.calendar)
            raise site.wrong_input("numbers, quantities, dates and times", found)

        known = system_types(site.source)
        if known and "System.Integer" not in known:
            return Code(run, True, tuple(known))
        return Code(run, True, None)

    return build


def _precision(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source = value(site.source, site.label, site.position)

    def run(node: Any, context: Any) -> Any:
        found = source(node, context)
        if found is None:
            return None
        if isinstance(found, Temporal):
            return found.precision
        if is_number(found):
            return _places(Decimal(found))
        raise site.wrong_input("numbers, dates and times", found)

    return computed(run, "System.Integer")


def _comparable(site: Site) -> Code:
    first = site.input(Quantity, "a quantity")
    second = site.typed(site.argument(0), Quantity, "a quantity")

    def run(node: Any, context: Any) -> Any:
        one, other = first(node, context), second(node, context)
        return None if one is None or other is None else quantity.comparable(one, other)

    return computed(run, "System.Boolean")


FUNCTIONS = {
    "lowBoundary": Function(_boundary(high=False), 0, 1),
    "highBoundary": Function(_boundary(high=True), 0, 1),
    "precision": Function(_precision),
    "comparable": Function(_comparable, 1, 1),
}
