"""References: what a text points at, and where a resource holds them.

https://hl7.org/fhir/R4/references.html. Called by interactions (bundles, integrity), search
extraction and FHIRPath's resolve().
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from hub.definitions import is_resource_type

Kind = Literal["relative", "absolute", "logical", "contained"]

_LOCAL = re.compile(
    r"(?P<base>[A-Za-z][A-Za-z0-9+.\-]*://[^?#]*/)?"
    r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
    r"(?:#(?P<fragment>.*))?",
    re.DOTALL,
).fullmatch

_LONGEST_CACHED = 256

# What a Reference may hold. Expression.reference and DetectedIssue.reference, which are uris,
# have neighbours outside it; Immunization.education need not.
_OWN = ("reference", "type", "identifier", "display", "id", "extension")
_REFERENCE = frozenset({*_OWN, *(f"_{name}" for name in _OWN)})
_LEAFLET = "education"


@dataclass(frozen=True, slots=True)
class ReferenceParts:
    """A reference taken apart.

    Attributes:
        kind: `relative` (a resource of this server), `absolute` (a url elsewhere), `logical`
            (`urn:uuid:`, `urn:oid:` and other non-urls) or `contained` (`#id`).
        type: Resource type, or "" where the text does not tell.
        id: Logical id, or "" where the text does not tell.
        version: Version id, or "".
        url: The text without version and fragment; for `relative` it is `Type/id`.
        fragment: What follows `#`, or "".
    """

    kind: Kind
    type: str = ""
    id: str = ""
    version: str = ""
    url: str = ""
    fragment: str = ""


def parse(reference: str, base: str = "") -> ReferenceParts:
    """Take a Reference.reference apart; a url below the hub's own base becomes relative.

    Any text has an answer: what is neither a known form nor a url is `logical`.

    Args:
        reference: The text.
        base: The hub's own base without a trailing slash, or "" to leave all urls absolute.
    """
    if reference.startswith("#"):
        return ReferenceParts("contained", fragment=reference[1:])
    if len(reference) > _LONGEST_CACHED:
        return _parse(reference, base)
    return _parse_cached(reference, base)


def _parse(reference: str, base: str) -> ReferenceParts:
    found = _LOCAL(reference)
    if found is None or not is_resource_type(found["type"]):
        url, _, fragment = reference.partition("#")
        if "://" not in url:
            return ReferenceParts("logical", url=url, fragment=fragment)
        return ReferenceParts("absolute", url=url, fragment=fragment)
    target = f"{found['type']}/{found['id']}"
    is_own = found["base"] is None or (base != "" and found["base"] == f"{base}/")
    return ReferenceParts(
        "relative" if is_own else "absolute",
        found["type"],
        found["id"],
        found["version"] or "",
        target if is_own else found["base"] + target,
        found["fragment"] or "",
    )


_parse_cached = lru_cache(maxsize=16_384)(_parse)


def walk(resource: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All Reference elements with a `reference`, in order, those of contained resources too.

    Told by shape: R4's other elements named `reference` are told apart by their neighbours. The
    dicts are the resource's own, so that a caller can rewrite them; the resource may be changed
    between the items.

    Args:
        resource: Any resource, a Bundle with its entries too.

    Returns:
        FHIRPath of the element, as `Observation.performer[0]`, and the element.
    """
    found: list[tuple[_Step, dict[str, Any]]] = []
    _collect(resource, (None, str(resource.get("resourceType", "")), None), found)
    return ((_text(step), element) for step, element in found)


_Step = tuple[Any, str, int | None]  # The step above, name, index in an array.


def _collect(node: dict[str, Any], step: _Step, found: list[tuple[_Step, dict[str, Any]]]) -> None:
    if type(node.get("reference")) is str and node.keys() <= _REFERENCE and step[1] != _LEAFLET:
        found.append((step, node))
    for name, value in node.items():
        if type(value) is dict:
            _collect(value, (step, name, None), found)
        elif type(value) is list:
            for index, item in enumerate(value):
                if type(item) is dict:
                    _collect(item, (step, name, index), found)


def _text(step: _Step) -> str:
    above, name, index = step
    own = name if index is None else f"{name}[{index}]"
    return own if above is None else f"{_text(above)}.{own}"


def split_canonical(canonical: str) -> tuple[str, str, str]:
    """Url, version and fragment of a canonical `url|version#fragment`; missing parts are ""."""
    rest, _, fragment = canonical.partition("#")
    url, _, version = rest.partition("|")
    return url, version, fragment
