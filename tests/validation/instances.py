"""Makes valid instances of any R4 type from the definitions, and breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from hub.definitions import resource_types
from hub.validation.binding import required_codes
from hub.validation.content import Shape, Slot, shape_of

PRIMITIVES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, -7, 2147483647],
    "positiveInt": [1, 2147483647],
    "unsignedInt": [0, 3],
    "decimal": [0, 1, Decimal("1.00"), Decimal("-3.5")],
    "string": ["a", "张小明", "two words", "line\nbreak"],
    "markdown": ["*a*", "a\n\nb"],
    "uri": ["http://example.org/a", "urn:oid:1.2.3"],
    "url": ["https://example.org"],
    "canonical": ["http://example.org/a|1"],
    "code": ["a", "b-c"],
    "id": ["a", "A-1.2"],
    "oid": ["urn:oid:1.2.156"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "date": ["2026", "2026-03", "2026-03-01", "2024-02-29"],
    "dateTime": ["2026", "2026-03-01", "2026-03-01T02:00:00+08:00", "2026-03-01T02:00:00Z"],
    "instant": ["2026-03-01T02:00:00.123+08:00"],
    "time": ["02:00:00"],
    "base64Binary": ["QUJD"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">a</div>'],
}
SYNTAX_CODES = ["text/plain", "zh-CN", "mm[Hg]", "CNY"]
EXTENSION = {"url": "http://example.org/e", "valueString": "a"}


def instance(shape_name: str, rnd: Random, depth: int = 2, density: float = 0.3) -> dict[str, Any]:
    """A structurally valid object of a shape; invariants are left to chance.

    Args:
        shape_name: As for `shape_of`.
        rnd: Where chance comes from.
        depth: Levels below that get optional elements.
        density: Share of the optional elements that are present.
    """
    shape = shape_of(shape_name)
    made: dict[str, Any] = {"resourceType": shape_name} if shape.is_resource else {}
    for name, keys in shape.elements.items():
        usable = [key for key in keys if shape.slots[key].kind in ("primitive", "complex")]
        wanted = name in shape.required or (depth > 0 and rnd.random() < density)
        if name in ("extension", "modifierExtension", "contained"):
            wanted = wanted and name == "extension" and shape.name != "Extension"
        if usable and wanted:
            _fill(shape, made, shape.slots[rnd.choice(usable)], rnd, depth, density)
    if not shape.is_resource and not made.keys() - {"id"}:
        made["extension"] = [dict(EXTENSION)]
    return made


def _fill(
    shape: Shape, made: dict[str, Any], slot: Slot, rnd: Random, depth: int, density: float
) -> None:
    count = rnd.choice([1, 1, 2]) if slot.many else 1
    if slot.shape == "Extension":
        values: list[Any] = [dict(EXTENSION) for _ in range(count)]
    else:
        values = [_value(slot, rnd, depth, density) for _ in range(count)]
    made[slot.key] = values if slot.many else values[0]
    if not slot.many and f"_{slot.key}" in shape.slots and rnd.random() < 0.1:
        made[f"_{slot.key}"] = {"extension": [dict(EXTENSION)]}
        if rnd.random() < 0.3:
            del made[slot.key]


def _value(slot: Slot, rnd: Random, depth: int, density: float) -> Any:
    codes = required_codes(slot.element)
    if slot.is_element_id:
        return f"e{rnd.randrange(10**12)}"
    if slot.kind == "primitive":
        if codes is None:
            return rnd.choice(PRIMITIVES[slot.shape])
        if codes.listed is None:
            return next(code for code in SYNTAX_CODES if codes.accepts(code))
        return rnd.choice(sorted(codes.listed))
    if slot.shape == "Reference":
        target = rnd.choice(slot.type.targets or ("Patient",))
        return rnd.choice([{"reference": f"{target}/1"}, {"type": target, "display": "a"}])
    if slot.shape == "CodeableConcept" and codes is not None:
        return {"coding": [_coding(codes, rnd)]}
    made = instance(slot.shape, rnd, depth - 1, density)
    if slot.is_simple_quantity:
        made.pop("comparator", None)
        made.setdefault("value", 1)
    return made


def _coding(codes: Any, rnd: Random) -> dict[str, Any]:
    if codes.listed is None:
        return {"system": codes.syntax_system, "code": next(filter(codes.accepts, SYNTAX_CODES))}
    system = rnd.choice(sorted(codes.systems))
    return {"system": system, "code": rnd.choice(sorted(codes.systems[system]))}


def resource(rnd: Random, density: float = 0.3) -> dict[str, Any]:
    """A structurally valid resource of any type."""
    return instance(rnd.choice(resource_types()), rnd, depth=2, density=density)


def objects(made: dict[str, Any]) -> Iterator[tuple[str, Shape, dict[str, Any]]]:
    """Every object in a resource with its location and shape, the resource first."""
    yield from _objects(made["resourceType"], shape_of(made["resourceType"]), made)


def _objects(
    location: str, shape: Shape, made: dict[str, Any]
) -> Iterator[tuple[str, Shape, dict[str, Any]]]:
    yield location, shape, made
    for key, value in made.items():
        slot = shape.slots.get(key)
        if slot is None or slot.kind != "complex":
            continue
        inner = shape_of(slot.shape)
        where = f"{location}.{slot.element.name}"
        if isinstance(value, list):
            for index, one in enumerate(value):
                yield from _objects(f"{where}[{index}]", inner, one)
        else:
            yield from _objects(where, inner, value)
