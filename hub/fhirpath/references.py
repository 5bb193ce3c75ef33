"""resolve(): from a reference to its resource, or just to the type of it.

https://hl7.org/fhir/R4/fhirpath.html#functions, https://hl7.org/fhir/R4/references.html.
Contained resources and entries of the Bundle at hand are found here, everything else through
the environment's `Resolver`. `where(resolve() is Patient)`, which R4's search parameters are
full of, needs the type only, and that stands in the reference.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hub.fhirpath import schema
from hub.fhirpath.item import Item


def reference_text(value: Any) -> str | None:
    """The text of a Reference, canonical or uri in JSON form."""
    if value.__class__ is dict:
        value = value.get("reference")
    return value if isinstance(value, str) and value else None


@lru_cache(maxsize=8192)
def type_in(reference: str) -> str:
    """The resource type a literal reference names; empty if it names none.

    `Patient/1`, `http://host/fhir/Patient/1`, `Patient/1/_history/2`.
    """
    parts = reference.partition("|")[0].split("/")
    if len(parts) > 3 and parts[-2] == "_history":
        parts = parts[:-2]
    return parts[-2] if len(parts) > 1 and schema.is_resource(parts[-2]) else ""


def contained(reference: str, context: Any) -> dict[str, Any] | None:
    """The resource that `#id` refers to; `#` alone is the container."""
    name = reference[1:]
    for holder in (context.resource, context.root_resource):
        if holder.__class__ is not dict:
            continue
        if not name:
            return holder if isinstance(holder, dict) else None
        candidates = holder.get("contained", ())
        for resource in candidates if candidates.__class__ is list else ():
            if resource.__class__ is dict and resource.get("id") == name:
                found: dict[str, Any] = resource
                return found
    return None


def _bundled(reference: str, context: Any) -> dict[str, Any] | None:
    """The entry of the Bundle at hand whose fullUrl is or ends with the reference."""
    bundle = context.root_resource
    if bundle.__class__ is not dict or bundle.get("resourceType") != "Bundle":
        return None
    entries = bundle.get("entry", ())
    for entry in entries if entries.__class__ is list else ():
        url = entry.get("fullUrl") if entry.__class__ is dict else None
        if isinstance(url, str) and (url == reference or url.endswith(f"/{reference}")):
            resource = entry.get("resource")
            if resource.__class__ is dict:
                found: dict[str, Any] = resource
                return found
    return None


def resolve(value: Any, context: Any) -> dict[str, Any] | None:
    """The resource behind a reference, or None.

    Args:
        value: A Reference in JSON form, or the text of a canonical or uri.
        context: The evaluation's context.
    """
    reference = reference_text(value)
    if reference is None:
        return None
    if reference.startswith("#"):
        return contained(reference, context)
    found = _bundled(reference, context)
    resolver = context.environment.resolver
    if found is None and resolver is not None:
        found = resolver.resolve(reference)
    return found


def type_behind(node: Any, context: Any) -> str:
    """The type of the resource behind a reference; empty when it cannot be told.

    Reads it from the reference (or Reference.type) and resolves only what does not say it.
    """
    value = node.value if node.__class__ is Item else node
    reference = reference_text(value)
    if reference is None:
        return ""
    if reference[0] == "#":
        return schema.type_of_resource(contained(reference, context))
    found = type_in(reference)
    if not found and value.__class__ is dict:
        declared = value.get("type")
        if isinstance(declared, str) and schema.is_resource(declared):
            return declared
    return found or schema.type_of_resource(resolve(value, context))
