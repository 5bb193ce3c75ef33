"""SearchParameter resources that become search parameters of this server.

An active SearchParameter is registered when it is written: the store gives it a key, every
worker's registry takes it in, and `hub.interactions.indexing` indexes what is there already.
A changed definition gets a new key, so that rows of the old one are never mistaken for its own.
Called by every write (`check` before, `after_commit` after the commit).
Spec: https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.definitions import is_resource_type
from hub.errors import Issue, fault
from hub.interactions.answer import resource_of
from hub.search.registry import FIRST_RUNTIME_KEY, ParameterRegistry
from hub.search.runtime import compile_parameter
from hub.storage.port import RuntimeParameter, Stored

if TYPE_CHECKING:
    from hub.interactions.commit import Made
    from hub.interactions.door import Interactions

_ABSTRACT = ("Resource", "DomainResource")


async def check(door: Interactions, ctx: Context, resource: dict[str, Any]) -> tuple[Issue, ...]:
    """What will come of a valid SearchParameter resource once it is written.

    Args:
        door: The record.
        ctx: Whose record.
        resource: A SearchParameter that passed validation.

    Returns:
        Information for the client: registered and being indexed, or why not.

    Raises:
        Unprocessable: It is active, but cannot be used.
    """
    registry = (await door.registry.of(ctx.tenant.key)).registry
    known = await _known(door, ctx.tenant.key, str(resource.get("id", "")))
    registry = _without(registry, known)
    reason = _set_aside(registry, resource)
    if reason is not None:
        return (reason,)
    compile_parameter(resource, FIRST_RUNTIME_KEY, registry)
    return (fault("informational", "search-parameter-registered", "", "information"),)


def _set_aside(registry: ParameterRegistry, resource: dict[str, Any]) -> Issue | None:
    """Why a SearchParameter is stored without being put to use, None if it is."""
    if resource.get("status") != "active":
        return fault("informational", "search-parameter-inactive", "", "information")
    if registry.is_core(resource["url"]):
        return fault("informational", "search-parameter-core", "", "information")
    if resource["type"] == "special":
        return fault("not-supported", "search-parameter-special", "", "warning")
    code = resource["code"]
    for base in resource.get("base", ()):
        known = registry.of(base).get(code) if _is_base(base) else None
        if known is not None and known.url != resource["url"]:
            return Issue(
                "warning",
                "conflict",
                "search-parameter-set-aside",
                {"code": code, "type": base, "url": known.url},
                "SearchParameter.code",
            )
    return None


def _is_base(name: str) -> bool:
    return name in _ABSTRACT or is_resource_type(name)


async def _known(door: Interactions, tenant: int, id: str) -> RuntimeParameter | None:
    """The registration of a SearchParameter resource."""
    for one in await door.store.parameters(tenant):
        if one.resource_id == id:
            return one
    return None


def _without(registry: ParameterRegistry, known: RuntimeParameter | None) -> ParameterRegistry:
    """The parameters beside a resource's own."""
    if known is None:
        return registry
    return registry.with_runtime(
        parameter for key, parameter in registry.runtime.items() if key != known.key
    )


async def after_commit(door: Interactions, ctx: Context, made: Sequence[Made]) -> None:
    """Register, change or remove the parameters that a commit has written.

    Args:
        door: The record.
        ctx: Whose record.
        made: Results of the commit.
    """
    for one in made:
        stored = one.stored
        if stored is not None and stored.type == "SearchParameter" and one.written:
            await register(door, ctx.tenant.key, stored)


async def register(door: Interactions, tenant: int, stored: Stored) -> None:
    """Make the registration of a SearchParameter follow its current version.

    Args:
        door: The record.
        tenant: Tenant key.
        stored: Its current version, a tombstone if it was deleted.
    """
    known = await _known(door, tenant, stored.id)
    wanted = None
    definitions = await door.registry.refresh(tenant)
    if not stored.deleted:
        resource = resource_of(stored)
        if _set_aside(_without(definitions.registry, known), resource) is None:
            wanted = compile_parameter(resource, known.key if known else 0)
    if known is not None:
        if wanted is not None and definitions.registry.runtime.get(known.key) == wanted:
            return
        await door.store.put_parameter(tenant, None, known.url)
    if wanted is not None:
        fresh = RuntimeParameter(0, wanted.url, stored.id)
        await door.store.put_parameter(tenant, fresh, wanted.url)
    await door.registry.refresh(tenant)
    door.registry.moved.set()


async def reconcile(door: Interactions, tenant: int) -> None:
    """Make all registrations follow the stored SearchParameters; at start-up.

    A process that ended between a commit and its registration leaves them apart.

    Args:
        door: The record.
        tenant: Tenant key.
    """
    found: set[str] = set()
    after = 0
    while True:
        page, after = await door.store.scan(tenant, ("SearchParameter",), after, 100)
        if not page:
            break
        for stored in page:
            found.add(stored.id)
            await register(door, tenant, stored)
    for known in await door.store.parameters(tenant):
        if known.resource_id not in found:
            await door.store.put_parameter(tenant, None, known.url)
    await door.registry.refresh(tenant)
