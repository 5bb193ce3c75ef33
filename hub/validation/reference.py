"""What a Reference may point at (https://hl7.org/fhir/R4/references.html).

Only what the resource itself tells is checked: the form of the text, the type in it or in
Reference.type, and contained resources. Whether the target exists is the store's to say.
Called by `hub.validation.source` and `hub.validation.structure`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.definitions import is_resource_type, type_names
from hub.validation.primitive import Problem
from hub.validation.scope import Scope

_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_LITERAL = re.compile(
    r"(?P<base>[A-Za-z][A-Za-z0-9+.\-]*://[^?#]*/)?"
    r"(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#.*)?"
).fullmatch
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?.+").fullmatch
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match


def text_problem(reference: str, scope: Scope) -> Problem | None:
    """What is wrong with the text of a reference; `#id` is ref-1.

    Args:
        reference: Reference.reference, not empty.
        scope: Where it stands; in a contained resource `#` is the container.
    """
    if reference.startswith("#"):
        if reference == "#":
            found = scope.is_contained
        else:
            found = scope.contained_with(reference[1:]) is not None
        return None if found else Problem("invariant", "validation-not-contained", {"key": "ref-1"})
    match = _LITERAL(reference) or _CONDITIONAL(reference)
    if match is None:
        if _SCHEME(reference):
            return None
        return Problem("value", "validation-reference-form", {})
    is_ours = match.groupdict().get("base") is None
    if is_ours and not is_resource_type(match["type"]):
        return Problem("value", "validation-reference-type-unknown", {"type": match["type"]})
    return None


def target_problem(
    reference: Mapping[str, Any], targets: frozenset[str], scope: Scope
) -> Problem | None:
    """What is wrong with the type a Reference points at.

    Args:
        reference: A Reference whose parts are well-formed.
        targets: Types it may point at; empty: any.
        scope: Where the reference stands.
    """
    literal = _literal_type(reference.get("reference"), scope)
    stated = reference.get("type")
    stated = stated.removeprefix(_DEFINITION) if isinstance(stated, str) else ""
    if stated and stated not in type_names():
        # A logical model's canonical; R4 knows resources only.
        return Problem("value", "validation-reference-type-unknown", {"type": stated[:64]})
    if literal and stated and literal != stated:
        return Problem(
            "value", "validation-reference-type-differs", {"type": stated, "found": literal}
        )
    found = literal or stated
    if found and targets and found not in targets:
        return Problem(
            "value",
            "validation-reference-target",
            {"found": found, "targets": ", ".join(sorted(targets))},
        )
    return None


def _literal_type(text: object, scope: Scope) -> str:
    """The resource type that a reference's text tells, or ""."""
    if not isinstance(text, str):
        return ""
    if text.startswith("#"):
        target = scope.container if text == "#" else scope.contained_with(text[1:])
        name = target.get("resourceType") if target is not None else None
    else:
        match = _LITERAL(text) or _CONDITIONAL(text)
        name = match["type"] if match else None
    return name if isinstance(name, str) and is_resource_type(name) else ""
