"""Contained resources (https://hl7.org/fhir/R4/references.html#contained): dom-2 to dom-5.

Done natively: as FHIRPath, dom-3 walks the whole resource once per contained resource. Called
by `hub.validation.source` and `hub.validation.structure`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.validation.primitive import Problem

NATIVE = frozenset(["dom-2", "dom-3", "dom-4", "dom-5"])


def problems(container: Mapping[str, Any]) -> Iterator[tuple[int, Problem]]:
    """What is wrong with the contained resources as such; their content is not looked at.

    R4's dom-3 lets one without an id pass, though nothing can refer to it: here it is refused.

    Args:
        container: A resource with a `contained` array.

    Returns:
        Place in the array and what is wrong.
    """
    contained = container["contained"]
    named = local_references(container)
    seen: set[str] = set()
    for index, one in enumerate(contained):
        if not isinstance(one, dict):
            continue
        meta = one.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        identity = one.get("id")
        if "contained" in one:
            yield index, _broken("dom-2", "validation-contained-nested")
        if "versionId" in meta or "lastUpdated" in meta:
            yield index, _broken("dom-4", "validation-contained-version")
        if "security" in meta:
            yield index, _broken("dom-5", "validation-contained-security")
        if isinstance(identity, str) and identity in seen:
            yield index, Problem("duplicate", "validation-contained-duplicate", {})
        elif "#" not in local_references(one):
            if not isinstance(identity, str):
                yield index, _broken("dom-3", "validation-contained-without-id")
            elif "#" + identity not in named:
                yield index, _broken("dom-3", "validation-contained-unreferenced")
        if isinstance(identity, str):
            seen.add(identity)


def local_references(resource: Mapping[str, Any]) -> set[str]:
    """All strings in a resource that may point into it: they start with `#`.

    References, canonicals and uris are what counts; the few other strings that start with `#`
    are not told apart, so that a resource with one of them may be found referenced.
    """
    found: set[str] = set()
    waiting: list[Any] = [resource]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and value.startswith("#"):
            found.add(value)
    return found


def _broken(key: str, message: str) -> Problem:
    return Problem("invariant", message, {"key": key})
