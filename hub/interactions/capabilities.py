"""capabilities: what this server does, as a CapabilityStatement.

Made from the definitions, the search parameters in force, the table of operations and the
settings, so that it says nothing else than what is true; kept as bytes per generation.
Spec: https://hl7.org/fhir/R4/http.html#capabilities, capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.definitions import (
    compartment_names,
    conformance,
    conformance_urls,
    resource_types,
    type_definition,
)
from hub.errors import BadRequest, fault
from hub.interactions.operation import Operation
from hub.interactions.registry import Definitions
from hub.interactions.terminology_capabilities import terminology_capabilities
from hub.model import json
from hub.search.registry import ParameterRegistry

if TYPE_CHECKING:
    from hub.interactions.door import Interactions
    from hub.settings import Settings

MODES = ("full", "normative", "terminology")
PATCH_FORMATS = ("application/json-patch+json", "application/fhir+json", "application/fhir+xml")

INTERACTIONS = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)
OAUTH_URIS = ("authorize", "token", "introspect", "revoke", "register")
"""The parts of SMART 1.0's `oauth-uris` that the hub has, named as its paths below `/auth`."""

SYSTEM_INTERACTIONS = ("transaction", "batch", "search-system", "history-system")

SEARCH_DOCUMENTATION = """\
Strings match without case, accents and width. Beyond R4, which matches the start of a string, \
a string parameter without modifier also matches Han text from any character on: `name=小明` \
finds 张小明, and one character is enough. `:exact` matches the whole string as it was written; \
`:contains` matches anywhere.

Dates without an offset, stored and searched, are read in the zone {zone}.

Modifiers: `:missing` on all; `:exact`, `:contains` on string; `:text`, `:not`, `:of-type` on \
token; `:identifier`, `:[type]`, `:above`, `:below` on reference; `:above`, `:below` on uri. \
`:in`, `:not-in` and `:above`, `:below` on token ask terminology: R4's content and the record's. \
Unknown modifiers are refused; unknown parameters are ignored and named in an outcome entry, or \
refused with `Prefer: handling=strict`. `_contained` and `_query` are refused.

`_explain=true` (ours) answers with the plan of the search instead of its results. Next links \
hold `_cursor`: pages stay stable while data changes. `_total` is none unless asked for."""

DOCUMENTATION = """\
Versions count 1, 2, 3 ... A delete is a version too: reading it is 410, and the next update \
goes on counting. An update replaces the whole content, meta.tag, meta.security and meta.profile \
included. {integrity} Conditional interactions are checked inside the commit: two clients with \
the same condition never both create."""

_INDEXING = "(Being indexed: {} of {}; searches find only part.)"

_REFUSED = frozenset(["_query"])
"""In the package, so that a search by it is understood, and refused with a reason."""

# R4 has these without a SearchParameter resource.
_UNPUBLISHED = {
    "_has": "What refers to it: `_has:Observation:patient:code=...`, nested too",
    "_list": "Members of a List, by its id",
}
_OF_SYSTEM = {"_type": "Resource types to search, joined by commas"}

_INTEGRITY = {
    True: "References to resources of this server must have a target, and what is referred to "
    "cannot be deleted.",
    False: "Targets of references are not checked.",
}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the statement is made from; two workers with equal facts say the same.

    Attributes:
        registry: Search parameters, compared by identity.
        indexing: Key, resources indexed and to be indexed of parameters that are not complete.
        operations: Each operation.
        oauth: Endpoints of the sign-in by name; none while authentication is off.
        systems: Url and version of the record's code systems, for the terminology mode only.
    """

    mode: str
    registry: ParameterRegistry
    indexing: tuple[tuple[int, int, int], ...]
    operations: tuple[Operation, ...]
    base: str
    zone: str
    date: str
    integrity: bool
    several: bool
    cors: bool
    oauth: tuple[tuple[str, str], ...]
    systems: tuple[tuple[str, str], ...]


async def capabilities(door: Interactions, ctx: Context, mode: str) -> dict[str, Any]:
    """The statement as a resource; see `capabilities_bytes`."""
    return json.load(await capabilities_bytes(door, ctx, mode))


async def capabilities_bytes(door: Interactions, ctx: Context, mode: str) -> bytes:
    """The statement as UTF-8 JSON.

    Args:
        door: The record.
        ctx: Base and clock.
        mode: `full`, `normative` (without what is trial use in CapabilityStatement), or
            `terminology` (a TerminologyCapabilities).

    Raises:
        BadRequest: Another mode.
    """
    if mode not in MODES:
        raise BadRequest(fault("value", "capabilities-mode"))
    definitions = await door.registry.of(ctx.tenant.key)
    settings = door.settings
    return _statement(
        _Facts(
            mode,
            definitions.registry,
            await _progress(door, ctx, definitions),
            tuple(door.operations.values()),
            ctx.base,
            ctx.tenant.zone,
            f"{ctx.clock():%Y-%m-%d}",
            settings.integrity,
            settings.delete_multiple_limit > 1,
            bool(settings.origins),
            _oauth(settings),
            await door.terminology.code_systems(ctx) if mode == "terminology" else (),
        )
    )


def _oauth(settings: Settings) -> tuple[tuple[str, str], ...]:
    if settings.auth == "off":
        return ()
    names = OAUTH_URIS if settings.registration else OAUTH_URIS[:-1]
    return tuple((name, f"{settings.site}/auth/{name}") for name in names)


async def _progress(
    door: Interactions, ctx: Context, definitions: Definitions
) -> tuple[tuple[int, int, int], ...]:
    if not definitions.indexing:
        return ()
    return tuple(
        (one.key, one.indexed, one.counted)
        for one in await door.store.parameters(ctx.tenant.key)
        if one.status != "completed"
    )


@lru_cache(maxsize=8)
def _statement(facts: _Facts) -> bytes:
    if facts.mode == "terminology":
        return json.encode(
            terminology_capabilities(facts.base, facts.date, software(), facts.systems)
        )
    made = _full(facts)
    if facts.mode == "normative":
        for path in _trial_use():
            _drop(made, path.split(".")[1:])
    return json.encode(made)


@lru_cache(maxsize=1)
def _trial_use() -> tuple[str, ...]:
    """The elements of CapabilityStatement that are not normative."""
    definition = conformance("http://hl7.org/fhir/StructureDefinition/CapabilityStatement") or {}
    return tuple(
        element["path"]
        for element in definition.get("snapshot", {}).get("element", ())
        for extension in element.get("extension", ())
        if extension.get("url", "").endswith("standards-status")
        and extension.get("valueCode") == "trial-use"
    )


def _drop(node: Any, names: list[str]) -> None:
    if isinstance(node, list):
        for item in node:
            _drop(item, names)
    elif len(names) == 1:
        node.pop(names[0], None)
    elif names[0] in node:
        _drop(node[names[0]], names[1:])


def software() -> dict[str, str]:
    """CapabilityStatement.software."""
    try:
        return {"name": "fhir-interop-hub", "version": version("fhir-interop-hub")}
    except PackageNotFoundError:
        return {"name": "fhir-interop-hub"}


def _full(facts: _Facts) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": "\n\n".join(
            (
                DOCUMENTATION.format(integrity=_INTEGRITY[facts.integrity]),
                SEARCH_DOCUMENTATION.format(zone=facts.zone),
            )
        ),
        "security": _security(facts),
        "resource": [_resource(facts, type) for type in resource_types()],
        "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
        "searchParam": _parameters(facts, "Resource"),
    }
    operations = _operations(facts, "system", "")
    if operations:
        rest["operation"] = operations
    rest["compartment"] = [
        url
        for url in conformance_urls("CompartmentDefinition")
        if url.rpartition("/")[2].lower() in {name.lower() for name in compartment_names()}
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": facts.date,
        "publisher": "fhir-interop-hub",
        "kind": "instance",
        "software": software(),
        "implementation": {"description": "FHIR R4 hub", "url": facts.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "patchFormat": list(PATCH_FORMATS),
        "rest": [rest],
    }


def _security(facts: _Facts) -> dict[str, Any]:
    """CapabilityStatement.rest.security; SMART App Launch, 2.2 and 1.0 (`oauth-uris`)."""
    if not facts.oauth:
        return {
            "cors": facts.cors,
            "description": "No authentication: the server listens on the loopback interface only.",
        }
    return {
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [{"url": name, "valueUri": uri} for name, uri in facts.oauth],
            }
        ],
        "cors": facts.cors,
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                        "display": "SMART-on-FHIR",
                    }
                ],
                "text": "OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)",
            }
        ],
        "description": "Every request but this one and discovery needs a bearer token; "
        f"{facts.base}/.well-known/smart-configuration says where tokens come from.",
    }


def _resource(facts: _Facts, type: str) -> dict[str, Any]:
    policies = ["literal", "logical", "local"]
    made: dict[str, Any] = {
        "type": type,
        "profile": type_definition(type).url,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "multiple" if facts.several else "single",
        "referencePolicy": [*policies, "enforced"] if facts.integrity else policies,
    }
    includes = [f"{type}:{one.code}" for one in facts.registry.references(type)]
    if includes:
        made["searchInclude"] = ["*", *includes]
    reverse = _reverse_includes(facts.registry).get(type, ())
    if reverse:
        made["searchRevInclude"] = list(reverse)
    made["searchParam"] = _parameters(facts, type)
    operations = _operations(facts, "type", type)
    if operations:
        made["operation"] = operations
    return made


@lru_cache(maxsize=2)
def _reverse_includes(registry: ParameterRegistry) -> dict[str, tuple[str, ...]]:
    """Resource type to the `Source:code` that can refer to it."""
    found: dict[str, list[str]] = {}
    for source in resource_types():
        for parameter in registry.references(source):
            for target in parameter.targets or resource_types():
                found.setdefault(target, []).append(f"{source}:{parameter.code}")
    return {type: tuple(codes) for type, codes in found.items()}


def _parameters(facts: _Facts, type: str) -> list[dict[str, str]]:
    """CapabilityStatement.rest.resource.searchParam, also for what all types have."""
    made = []
    progress = {key: (indexed, counted) for key, indexed, counted in facts.indexing}
    for code, parameter in facts.registry.of(type).items():
        if code in _REFUSED:
            continue
        row = {"name": code, "definition": parameter.url, "type": parameter.type}
        if parameter.description:
            row["documentation"] = parameter.description
        if parameter.key in progress:
            state = _INDEXING.format(*progress[parameter.key])
            row["documentation"] = f"{state} {parameter.description}".strip()
        made.append(row)
    unpublished = _UNPUBLISHED if type != "Resource" else {**_UNPUBLISHED, **_OF_SYSTEM}
    made += ({"name": n, "type": "special", "documentation": t} for n, t in unpublished.items())
    return made


def _operations(facts: _Facts, level: str, type: str) -> list[dict[str, str]]:
    """Operations at the system, or at a type and its instances."""
    wanted: Iterable[str] = ("system",) if level == "system" else ("type", "instance")
    found = ((operation, operation.on(type)) for operation in facts.operations)
    return [
        {"name": one.name, "definition": one.canonical(here.definition, facts.base)}
        for one, here in found
        if here is not None and not here.levels.isdisjoint(wanted)
    ]
