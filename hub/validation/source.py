"""Writes the fast pass of a shape as Python source.

Generated code beat closures by a third (docs/adr/0004). It decides nothing
by itself: whatever is not surely right raises `Doubt`, or the TypeError, KeyError or
AttributeError that a wrong JSON type brings about, and the path-tracking pass decides. Called by
`hub.validation.fast`, which runs the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.validation.binding import RequiredCodes, required_codes
from hub.validation.content import Shape, Slot, shape_of
from hub.validation.primitive import FAST

# A shape with at most this many single primitives tests for them one after the other; a larger
# one looks every property up in its table.
INLINE_LIMIT = 8
# Bit in `s` that says that a choice has a `_x`, whose own `x` is no second choice.
SIBLING = 1 << 30


@dataclass(frozen=True, slots=True)
class Guard:
    """An invariant in the fast pass.

    Attributes:
        test: Python expression over `o` (the object) and `s` (choices present) that is true only
            where the invariant surely holds; "False" where nothing can be told quickly.
        rule: Name under which the whole rule is called as `rule(o, c)`.
    """

    test: str
    rule: str


@dataclass(slots=True)
class Source:
    """Source of one shape and what it needs.

    Attributes:
        lines: The functions.
        values: Constants by name.
        table: JSON property to the name of the function that checks it.
        shapes: Names of the shapes whose functions it calls.
        rules: Names of the invariants it calls.
    """

    lines: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    table: dict[str, str] = field(default_factory=dict)
    shapes: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)


def function_of(shape_name: str) -> str:
    """Name of the function that checks a shape."""
    return "check_" + shape_name.replace(".", "_")


def table_of(shape_name: str) -> str:
    """Name of the table of a shape's properties."""
    return "slots_" + shape_name.replace(".", "_")


class Guards(Protocol):
    """Gives the invariants as guards; `hub.validation.invariant` does."""

    def guards(self, shape: Shape, bits: Mapping[str, int]) -> list[Guard]:
        """Those of a shape, given the bit of each of its choices in `s`."""

    def slot_guards(self, slot: Slot) -> list[Guard]:
        """Those that an element adds to its type's."""


@dataclass(slots=True)
class Writer:
    """Writes shapes; functions that several shapes need are written once.

    Attributes:
        invariants: Where the guards come from; None: no invariants.
        known: Names of the functions written so far.
    """

    invariants: Guards | None
    known: set[str] = field(default_factory=set)
    _targets: dict[frozenset[str], str] = field(default_factory=dict)
    _codes: dict[str, str] = field(default_factory=dict)

    def write(self, shape_name: str) -> Source:
        """The source of a shape.

        Args:
            shape_name: `Observation`, `Coding`, `Observation.component`.
        """
        shape = shape_of(shape_name)
        source = Source()
        bits = {name: 1 << place for place, name in enumerate(shape.choices)}
        if shape.is_resource:
            source.table["resourceType"] = "accept"
        for slot in shape.slots.values():
            bit = bits[slot.element.name] if slot.element.is_choice else 0
            source.table[slot.key] = self._slot(slot, bit, source)
        self._shape(shape, bits, source)
        return source

    def _shape(self, shape: Shape, bits: Mapping[str, int], source: Source) -> None:
        table = table_of(shape.name)
        lines = [f"def {function_of(shape.name)}(o, c):"]
        if bits:
            lines += [
                "    s = 0",
                "    for k, v in o.items():",
                f"        if b := {table}[k](v, c):",
                f"            if s & b and b != {SIBLING}:",
                "                raise Doubt",
                "            s |= b",
                f"    if s & {SIBLING}:",
                f"        s |= choices_with_siblings(o, {table}_choices)",
            ]
            source.values[f"{table}_choices"] = [
                (bit, shape.elements[name]) for name, bit in bits.items()
            ]
        else:
            lines += ["    for k, v in o.items():", *self._chain(shape, source, table)]
        if not shape.is_resource:
            # ele-1: more than an id.
            lines += ['    if len(o) < 2 and (not o or "id" in o):', "        raise Doubt"]
        for name in shape.required:
            if name in bits:
                lines.append(f"    if not s & {bits[name]}:")
            else:
                keys = shape.elements[name]
                lines.append("    if " + " and ".join(f'"{key}" not in o' for key in keys) + ":")
            lines.append("        raise Doubt")
        guards = self.invariants.guards(shape, bits) if self.invariants else []
        source.rules.update(guard.rule for guard in guards)
        lines += _guard_lines(guards, "    ", "o")
        source.lines += lines

    def _chain(self, shape: Shape, source: Source, table: str) -> list[str]:
        inlined = [
            slot
            for slot in shape.slots.values()
            if slot.kind == "primitive"
            and not slot.many
            and not slot.constraints
            and not (slot.key == "id" and not shape.is_resource)
        ]
        if not inlined or len(inlined) > INLINE_LIMIT:
            return [f"        {table}[k](v, c)"]
        lines = []
        for word, slot in zip(("if", *["elif"] * len(inlined)), inlined, strict=False):
            lines.append(f'        {word} k == "{slot.key}":')
            lines.append(f"            if not ({self._primitive_test(slot, source)}):")
            lines.append("                raise Doubt")
        return [*lines, "        else:", f"            {table}[k](v, c)"]

    def _slot(self, slot: Slot, bit: int, source: Source) -> str:
        """The name of the function that checks a property; written unless it is known."""
        if slot.kind == "sibling":
            if slot.many:
                return "doubt"  # Their alignment with the values is the other pass's.
            return "check_choice_sibling" if bit else "check_sibling"
        if slot.kind == "resource":
            return "check_contained" if slot.many else "check_entry"
        if slot.is_element_id:
            return "check_element_id"
        body = (
            self._primitive_body(slot, source)
            if slot.kind == "primitive"
            else self._complex_body(slot, source)
        )
        rules = self.invariants.slot_guards(slot) if self.invariants else []
        source.rules.update(guard.rule for guard in rules)
        guards = _guard_lines(rules, "", "v")
        if slot.kind == "complex" and not slot.many and not bit and len(body) == 1 and not guards:
            return function_of(slot.shape)
        name = self._name(slot, bit, bool(guards))
        if name not in self.known:
            self.known.add(name)
            source.lines += _wrap(name, [*body, *guards], slot.many, bit)
        return name

    def _name(self, slot: Slot, bit: int, has_guards: bool) -> str:
        parts = ["many" if slot.many else "one", slot.shape.replace(".", "_")]
        codes = required_codes(slot.element)
        if codes is not None:
            parts.append(self._codes_name(codes))
        if slot.shape == "Reference":
            parts.append(self._targets_name(slot))
        if slot.is_simple_quantity:
            parts.append("simple")
        if bit:
            parts.append(f"bit_{bit}")
        if has_guards:
            parts.append(slot.element.path.replace(".", "_").replace("[x]", ""))
        return "_".join(parts)

    def _primitive_test(self, slot: Slot, source: Source) -> str:
        codes = required_codes(slot.element)
        if codes is None:
            return FAST[slot.shape]
        name = self._codes_name(codes)
        if codes.listed is None:
            source.values[name] = codes.accepts
            return f"({FAST[slot.shape]}) and {name}(v)"
        source.values[name] = codes.listed
        return f"v in {name}"

    def _primitive_body(self, slot: Slot, source: Source) -> list[str]:
        return [f"if not ({self._primitive_test(slot, source)}):", "    raise Doubt"]

    def _complex_body(self, slot: Slot, source: Source) -> list[str]:
        source.shapes.add(slot.shape)
        body = [f"{function_of(slot.shape)}(v, c)"]
        codes = required_codes(slot.element)
        if codes is not None:
            name = self._codes_name(codes) + "_binding"
            source.values[name] = codes
            is_concept = slot.shape == "CodeableConcept"
            method = "accepts_concept" if is_concept else "accepts_coding"
            body += [f"if not {name}.{method}(v):", "    raise Doubt"]
        if slot.shape == "Reference":
            name = self._targets_name(slot)
            source.values[name] = frozenset(slot.type.targets)
            body += [f"if refers_wrongly(v, {name}, c):", "    raise Doubt"]
        if slot.is_simple_quantity:
            body += ['if "comparator" in v:', "    raise Doubt"]
        return body

    def _codes_name(self, codes: RequiredCodes) -> str:
        return self._codes.setdefault(codes.value_set, f"codes_{len(self._codes)}")

    def _targets_name(self, slot: Slot) -> str:
        targets = frozenset(slot.type.targets)
        return self._targets.setdefault(targets, f"targets_{len(self._targets)}")


def _guard_lines(guards: list[Guard], indent: str, focus: str) -> list[str]:
    lines = []
    for guard in guards:
        test = "" if guard.test == "False" else f"not ({guard.test}) and "
        lines += [f"{indent}if {test}not {guard.rule}({focus}, c):", f"{indent}    raise Doubt"]
    return lines


def _wrap(name: str, body: list[str], many: bool, bit: int) -> list[str]:
    lines = [f"def {name}(v, c):"]
    if many:
        lines += ["    if type(v) is not list or not v:", "        raise Doubt"]
        lines += ["    for v in v:", *("        " + line for line in body)]
    else:
        lines += ["    " + line for line in body]
    if bit:
        lines.append(f"    return {bit}")
    return lines
