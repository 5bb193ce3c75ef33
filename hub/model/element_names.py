"""How FHIRPath calls what JSON names: `valueQuantity` is `value`, `_birthDate` is `birthDate`.

For the locations of issues (https://hl7.org/fhir/R4/fhirpath.html#using, json.html#choice).
Called by `hub.model.json` and `hub.interactions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from hub.definitions import is_resource_type, type_definition

# Data types with a choice; what else a resource holds is in its own definition.
_HELD = (
    "Annotation", "DataRequirement", "Dosage", "ElementDefinition", "Extension", "Timing",
    "TriggerDefinition", "UsageContext",
)  # fmt: skip


def element_name(type: str, name: str) -> str:
    """The element that a JSON property holds.

    Args:
        type: The resource type it stands in, at any depth.
        name: The property.
    """
    name = name.removeprefix("_")
    return _choices(type).get(name, name) if is_resource_type(type) else name


def fhirpath_of(path: str) -> str:
    """A path of JSON names as FHIRPath calls it: `medicationReference` is `medication`.

    Args:
        path: As `hub.model.reference.walk` gives it, from the resource's type on.
    """
    root, *steps = path.split(".")
    return ".".join([root, *(element_name(root, step) for step in steps)])


@lru_cache(maxsize=256)
def _choices(type: str) -> Mapping[str, str]:
    """JSON names of the choices of a type, to their elements."""
    rows = [row for name in (type, *_HELD) for row in type_definition(name).elements]
    genuine = {row.name for row in rows if not row.is_choice}
    found = {
        row.name + kind.code[0].upper() + kind.code[1:]: row.name
        for row in rows
        if row.is_choice
        for kind in row.types
    }
    return {name: element for name, element in found.items() if name not in genuine}
