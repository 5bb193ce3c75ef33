"""SearchParameter resources that become search parameters of this server.

An active SearchParameter is registered when it is written: the store gives it a key, every
worker's registry takes it in, and `hub.interactions.indexing` indexes what is there already.
A changed definition gets a new key, so that rows of the old one are never mistaken for its own.
Called by every write (`check` before, `after_commit` after the commit).
Spec: https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hub.context import Context
from hub.definitions import ancestors, resource_types
from hub.errors import DamagedStorage, HubError, Issue, fault
from hub.interactions.answer import resource_of
from hub.search.registry import FIRST_RUNTIME_KEY, ParameterRegistry
from hub.search.runtime import compile_parameter
from hub.storage.port import BodyDamaged, RuntimeParameter, Stored, StoreUnavailable

if TYPE_CHECKING:
    from hub.interactions.commit import Made
    from hub.interactions.door import Interactions

_log = logging.getLogger(__name__)


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
    own, others = await _known(door, ctx.tenant.key, str(resource.get("id", "")))
    registry = _without(registry, own)
    reason = _set_aside(registry, others, resource)
    if reason is not None:
        return (reason,)
    compile_parameter(resource, FIRST_RUNTIME_KEY, registry)
    return (fault("informational", "search-parameter-registered", "", "information"),)


def _set_aside(
    registry: ParameterRegistry, others: Sequence[RuntimeParameter], resource: dict[str, Any]
) -> Issue | None:
    """Why a SearchParameter is stored without being put to use, None if it is.

    A url has one definition, and so has a code on each type: the one that was there first.
    """
    if resource.get("status") != "active":
        return fault("informational", "search-parameter-inactive", "", "information")
    if registry.is_core(resource["url"]):
        return fault("informational", "search-parameter-core", "", "information")
    if resource["type"] == "special":
        return fault("not-supported", "search-parameter-special", "", "warning")
    for one in others:
        if one.url == resource["url"]:
            arguments: dict[str, object] = {"id": one.resource_id}
            place = "SearchParameter.url"
            return Issue("warning", "conflict", "search-parameter-twin", arguments, place)
    code = resource["code"]
    for type in types_of(resource.get("base", ())):
        known = registry.get(type, code)
        if known is not None:
            arguments = {"code": code, "type": type, "url": known.url}
            place = "SearchParameter.code"
            return Issue("warning", "conflict", "search-parameter-set-aside", arguments, place)
    return None


def types_of(bases: Sequence[str]) -> tuple[str, ...]:
    """The concrete resource types below some bases.

    Args:
        bases: As in SearchParameter.base.
    """
    return tuple(name for name in resource_types() if not set(bases).isdisjoint(ancestors(name)))


async def _known(
    door: Interactions, tenant: int, id: str
) -> tuple[RuntimeParameter | None, list[RuntimeParameter]]:
    """The registration of a SearchParameter resource, and those of others."""
    own, others = None, []
    for one in await door.store.parameters(tenant):
        if one.resource_id == id:
            own = one
        else:
            others.append(one)
    return own, others


def _without(registry: ParameterRegistry, known: RuntimeParameter | None) -> ParameterRegistry:
    """The parameters beside a resource's own."""
    if known is None:
        return registry
    return registry.with_runtime(
        parameter for key, parameter in registry.runtime.items() if key != known.key
    )


async def after_commit(door: Interactions, ctx: Context, made: Sequence[Made]) -> None:
    """Register, change or remove the parameters that a commit has written.

    The resource is stored: a registration that fails now is made up for by `indexing`, and must
    not tell the client that nothing was stored.

    Args:
        door: The record.
        ctx: Whose record.
        made: Results of the commit.
    """
    is_freed = False
    try:
        for one in made:
            stored = one.stored
            if stored is not None and stored.type == "SearchParameter" and one.written:
                is_freed |= await register(door, ctx.tenant.key, stored)
        if is_freed:
            await reconcile(door, ctx.tenant.key)
    except (StoreUnavailable, HubError) as error:
        _log.warning("the registration of a SearchParameter is put off: %s", type(error).__name__)
        door.registry.behind = True
        door.registry.moved.set()


async def register(door: Interactions, tenant: int, stored: Stored) -> bool:
    """Make the registration of a SearchParameter follow its current version.

    Args:
        door: The record.
        tenant: Tenant key.
        stored: Its current version, a tombstone if it was deleted.

    Returns:
        Whether a registration went: another SearchParameter may have waited for its names.
    """
    known, others = await _known(door, tenant, stored.id)
    wanted = None
    definitions = await door.registry.of(tenant)
    if not stored.deleted:
        resource = resource_of(stored)
        if _set_aside(_without(definitions.registry, known), others, resource) is None:
            wanted = compile_parameter(resource, known.key if known else 0)
    if known is not None:
        if wanted is not None and definitions.registry.runtime.get(known.key) == wanted:
            return False
        await door.store.put_parameter(tenant, None, known.url)
    if wanted is not None:
        fresh = RuntimeParameter(0, wanted.url, stored.id)
        await door.store.put_parameter(tenant, fresh, wanted.url)
    door.registry.moved.set()
    return known is not None


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
        try:
            page, after = await door.store.scan(tenant, ("SearchParameter",), after, 100)
        except BodyDamaged as error:  # its registration stays as it is
            found.add(error.id)
            after = error.after
            continue
        if not page:
            break
        for stored in page:
            found.add(stored.id)
            with suppress(DamagedStorage):
                await register(door, tenant, stored)
    for known in await door.store.parameters(tenant):
        if known.resource_id not in found:
            await door.store.put_parameter(tenant, None, known.url)
