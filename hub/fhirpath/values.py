"""FHIR values as System values, and back to JSON.

https://hl7.org/fhir/R4/fhirpath.html#types: a FHIR primitive converts implicitly to the System
type of the same sense, a FHIR Quantity to System.Quantity. Used by every function and operator
that computes; navigation and filtering leave values as they are.

System values are Python values: bool, str, int, Decimal, `Temporal`, `Quantity`; the Python
type tells the System type.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from hub.fhirpath import schema
from hub.fhirpath.item import Item
from hub.fhirpath.quantity import Quantity, from_fhir
from hub.fhirpath.temporal import Temporal, parse

SystemValue = bool | int | Decimal | str | Temporal | Quantity
Convert = Callable[[Any], Any]


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> Any:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, float):
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    return None


def _date(value: Any) -> Any:
    return parse(value, "Date") if isinstance(value, str) else None


def _date_time(value: Any) -> Any:
    return parse(value, "DateTime") if isinstance(value, str) else None


def _time(value: Any) -> Any:
    return parse(value, "Time") if isinstance(value, str) else None


# FHIR primitive to System type and conversion; what is not listed is text.
_PRIMITIVES: dict[str, tuple[str, Convert]] = {
    "boolean": ("System.Boolean", _boolean),
    "integer": ("System.Integer", _integer),
    "positiveInt": ("System.Integer", _integer),
    "unsignedInt": ("System.Integer", _integer),
    "decimal": ("System.Decimal", _decimal),
    "date": ("System.Date", _date),
    "dateTime": ("System.DateTime", _date_time),
    "instant": ("System.DateTime", _date_time),
    "time": ("System.Time", _time),
}


def _same(value: Any) -> Any:
    return value


@cache
def system_type(type_name: str) -> str | None:
    """The System type that a type converts to; None for complex types and unknown ones."""
    if type_name.startswith("System."):
        return type_name if type_name != schema.TYPE_INFO else None
    if schema.is_primitive(type_name):
        return _PRIMITIVES.get(type_name, ("System.String", _text))[0]
    return "System.Quantity" if type_name and schema.is_a(type_name, "Quantity") else None


@cache
def converter(type_name: str) -> Convert:
    """The function from a JSON value of a type to its System value.

    For a complex type that has none it returns the value itself, a dict. None means that the
    value is not valid for its type.
    """
    if schema.is_primitive(type_name):
        return _PRIMITIVES.get(type_name, ("", _text))[1]
    if system_type(type_name) == "System.Quantity" and type_name != "System.Quantity":
        return from_fhir
    return _same


def system_value(node: Any) -> Any:
    """The System value of a described node; a dict stays a dict; None if it has no value."""
    if node.__class__ is Item:
        value = node.value
        return None if value is None else converter(node.type)(value)
    return node


_PYTHON_TYPES = {
    bool: "System.Boolean",
    int: "System.Integer",
    Decimal: "System.Decimal",
    str: "System.String",
    Temporal: "",
    Quantity: "System.Quantity",
}


def type_of(node: Any) -> str:
    """The type of a described node."""
    if node.__class__ is Item:
        return str(node.type)
    if node.__class__ is Temporal:
        return f"System.{node.kind}"
    return _PYTHON_TYPES.get(node.__class__, "")


def plain(value: Any) -> Any:
    """A value as JSON: Temporal as text, Quantity as a FHIR Quantity; others as they are."""
    if value.__class__ is Temporal:
        return value.text
    if value.__class__ is Quantity:
        return value.as_fhir()
    return value


def describe(value: Any) -> Any:
    """A described node for a value from outside: JSON, a System value or an Item."""
    if isinstance(value, dict):
        return Item(value, schema.type_of_resource(value))
    if isinstance(value, float):
        return _decimal(value)
    return value
