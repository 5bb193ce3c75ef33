"""One item of a FHIRPath collection, as `evaluate` returns it.

http://hl7.org/fhirpath/N1/#collections; the primitive's extensions follow
https://hl7.org/fhir/R4/json.html#primitive. Made by the navigation closures and at the end of
an evaluation; read by search extraction, validation, patch and the `$fhirpath` operation.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Item(msgspec.Struct, gc=False):
    """A value with its type, and with its place where that was asked for.

    Attributes:
        value: JSON value of a FHIR element (None for a primitive that has only extensions), or
            a System value: bool, int, Decimal, str, `Temporal`, `Quantity`.
        type: FHIR type name (`code`, `Quantity`, `Patient`), the path of a backbone element
            (`Patient.contact`), `System.String` and the like; empty when it is not known.
        element: The primitive's sibling (`_birthDate`): its id and extensions; else None.
        parent: The item it was reached from; only when places are tracked.
        name: Element name of the step that reached it (`value`), or of the root its location.
        index: Its place among the repetitions; None for an element that does not repeat.
        key: JSON key in the parent (`valueQuantity`).
    """

    value: Any
    type: str
    element: dict[str, Any] | None = None
    parent: Item | None = None
    name: str = ""
    index: int | None = None
    key: str = ""

    def __repr__(self) -> str:
        """Without the value, which may be a patient's."""
        return f"Item({self.type!r}, {self.location!r})"

    @property
    def location(self) -> str | None:
        """FHIRPath of the element (`Observation.component[1].value`).

        None when the item was computed or places were not tracked.
        """
        steps: list[str] = []
        item: Item | None = self
        while item is not None:
            if not item.name:
                return None
            steps.append(item.name if item.index is None else f"{item.name}[{item.index}]")
            item = item.parent
        return ".".join(reversed(steps))
