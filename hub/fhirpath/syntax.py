"""The syntax tree of a FHIRPath expression, and its text again.

One frozen class per form of the grammar (http://hl7.org/fhirpath/N1/grammar.html). `parser`
makes the tree, `compiler` turns it into closures, `write` gives back text that parses to an
equal tree. Positions count characters from 1 and take no part in equality.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from hub.fhirpath.temporal import Temporal

SystemLiteral = bool | int | Decimal | str | Temporal


@dataclass(frozen=True, slots=True)
class Node:
    """Any part of an expression; `position` is where it starts."""

    position: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A literal of a System type; the value's Python type tells which."""

    value: SystemLiteral


@dataclass(frozen=True, slots=True)
class QuantityLiteral(Node):
    """A number with a unit; `calendar` is True for the bare words (`4 days`)."""

    value: Decimal
    unit: str
    calendar: bool


@dataclass(frozen=True, slots=True)
class Empty(Node):
    """`{}`: the empty collection."""


@dataclass(frozen=True, slots=True)
class Special(Node):
    """`$this`, `$index` or `$total`; the name is without the dollar."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """`%name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`source.name`; without source the name is looked up on the focus."""

    source: Node | None
    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`source.name(arguments)`; without source the function's input is the focus."""

    source: Node | None
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Indexer(Node):
    """`source[index]`."""

    source: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Polarity(Node):
    """`+operand` or `-operand`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left operator right` of the operators that are not in `Series`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Series(Node):
    """Two or more operands joined by one associative operator: `|`, `and`, `or`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class TypeOperation(Node):
    """`operand is type` or `operand as type`; the type is `Quantity` or `System.Quantity`."""

    operator: str
    operand: Node
    type: str


@dataclass(frozen=True, slots=True)
class SortKey(Node):
    """An argument of sort(): `key asc` or `key desc`."""

    key: Node
    descending: bool


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
KEYWORDS = frozenset(
    ["and", "as", "contains", "div", "false", "implies", "in", "is", "mod", "or", "true", "xor"]
)
_ESCAPED = {
    "'": "\\'", "`": "\\`", "\\": "\\\\", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
}  # fmt: skip


def _escape(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in text)


def _name(name: str) -> str:
    return name if _PLAIN.match(name) and name not in KEYWORDS else f"`{_escape(name)}`"


def _write_literal(value: SystemLiteral) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{_escape(value)}'"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Temporal):
        return value.literal
    return str(value)


def _write_type(name: str) -> str:
    return ".".join(_name(part) for part in name.split("."))


def write(node: Node) -> str:
    """The text of a tree, every operation in parentheses; it parses to an equal tree."""
    if isinstance(node, Literal):
        return _write_literal(node.value)
    if isinstance(node, QuantityLiteral):
        unit = node.unit if node.calendar else f"'{_escape(node.unit)}'"
        return f"{node.value:f} {unit}"
    if isinstance(node, Special):
        return f"${node.name}"
    if isinstance(node, Variable):
        return f"%{_name(node.name)}"
    if isinstance(node, Member):
        return _write_source(node.source) + _name(node.name)
    if isinstance(node, Call):
        arguments = ", ".join(write(argument) for argument in node.arguments)
        return f"{_write_source(node.source)}{_name(node.name)}({arguments})"
    if isinstance(node, Indexer):
        return f"{write(node.source)}[{write(node.index)}]"
    return _write_operation(node)


def _write_source(source: Node | None) -> str:
    return "" if source is None else f"{write(source)}."


def _write_operation(node: Node) -> str:
    if isinstance(node, Polarity):
        return f"({node.operator}{write(node.operand)})"
    if isinstance(node, Binary):
        return f"({write(node.left)} {node.operator} {write(node.right)})"
    if isinstance(node, Series):
        return "(" + f" {node.operator} ".join(write(operand) for operand in node.operands) + ")"
    if isinstance(node, TypeOperation):
        return f"({write(node.operand)} {node.operator} {_write_type(node.type)})"
    if isinstance(node, SortKey):
        return f"{write(node.key)} {'desc' if node.descending else 'asc'}"
    return "{}"
