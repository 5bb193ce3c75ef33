"""StructureDefinition to TypeDefinition (https://hl7.org/fhir/R4/structuredefinition.html).

Called by `hub.definitions.build`.
"""

from __future__ import annotations

from typing import Any

from hub.definitions.derive.package import Artifact, of_type, without_version
from hub.definitions.shapes import Binding, Constraint, Element, ElementType, TypeDefinition

_TYPE_URL = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM = "http://hl7.org/fhirpath/"
_REGEX = "http://hl7.org/fhir/StructureDefinition/regex"


def derive_types(artifacts: list[Artifact], corrections: Artifact) -> list[TypeDefinition]:
    """The types FHIR defines, sorted by name: no profiles, no logical models.

    Args:
        artifacts: The package.
        corrections: corrections.toml.
    """
    system_types = {row["base"]: row["code"] for row in corrections["system_type"]}
    patterns = {row["type"]: row["regex"] for row in corrections["regex"]}
    found = [
        _type(definition, system_types, patterns)
        for definition in of_type(artifacts, "StructureDefinition")
        if definition.get("derivation") != "constraint" and definition["kind"] != "logical"
    ]
    return sorted(found, key=lambda row: row.name)


def _type(
    definition: Artifact, system_types: dict[str, str], patterns: dict[str, str]
) -> TypeDefinition:
    name = definition["type"]
    rows = definition["snapshot"]["element"]
    base = definition.get("baseDefinition")
    return TypeDefinition(
        name=name,
        kind=definition["kind"],
        abstract=definition["abstract"],
        base=base.removeprefix(_TYPE_URL) if base else None,
        url=definition["url"],
        elements=tuple(_element(row, definition["url"], system_types) for row in rows),
        regex=patterns.get(name) or _published_pattern(rows),
    )


def _published_pattern(rows: list[dict[str, Any]]) -> str | None:
    for row in rows:
        if row["path"].endswith(".value"):
            for kind in row.get("type", ()):
                for extension in kind.get("extension", ()):
                    if extension["url"] == _REGEX:
                        return str(extension["valueString"])
    return None


def _element(row: dict[str, Any], owner: str, system_types: dict[str, str]) -> Element:
    path = row["path"]
    is_root = "." not in path
    last = path.rpartition(".")[2]
    binding = row.get("binding")
    reference = row.get("contentReference")
    return Element(
        path=path,
        name=last.removesuffix("[x]"),
        min=row["min"],
        max=None if row["max"] == "*" else int(row["max"]),
        types=tuple(_element_type(kind, row, system_types) for kind in row.get("type", ())),
        is_choice=last.endswith("[x]"),
        content_reference=reference.removeprefix("#") if reference else None,
        binding=Binding(binding["strength"], without_version(binding["valueSet"]))
        if binding and "valueSet" in binding
        else None,
        constraints=tuple(
            Constraint(rule["key"], rule["severity"], rule["human"], rule["expression"])
            for rule in row.get("constraint", ())
            if is_root or rule.get("source", owner) == owner
        ),
        is_summary=row.get("isSummary", False),
        is_modifier=row.get("isModifier", False),
        is_xml_attribute="xmlAttr" in row.get("representation", ()),
        short=row["short"],
        max_length=row.get("maxLength"),
    )


def _element_type(
    kind: dict[str, Any], row: dict[str, Any], system_types: dict[str, str]
) -> ElementType:
    code = kind["code"]
    if code.startswith(_SYSTEM):
        code = system_types.get(row["base"]["path"], code.removeprefix(_SYSTEM))
    targets = tuple(target.removeprefix(_TYPE_URL) for target in kind.get("targetProfile", ()))
    return ElementType(
        code=code,
        targets=() if "Resource" in targets else targets,
        profiles=tuple(kind.get("profile", ())),
    )
