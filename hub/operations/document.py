"""$document: a Composition with everything it refers to, as a document Bundle.

Spec: https://hl7.org/fhir/R4/composition-operation-document.html, documents.html#content
"""

from __future__ import annotations

from hub.context import Context
from hub.errors import BadRequest, Gone, MethodNotAllowed, NotFound, TooLarge, Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.binary import whole
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.model import reference
from hub.model.identity import new_id
from hub.operations.parameters import Resource, flag, only, required, text
from hub.storage.port import Stored

Target = tuple[str, str, str]
"""Type, id, and version or ""."""

MOST = 1000


def targets(resource: Resource, base: str) -> list[Target]:
    """The local resources that a resource refers to, in order, each once.

    Args:
        resource: Any resource.
        base: The hub's own base.
    """
    found: dict[Target, None] = {}
    for _, holder in reference.walk(resource):
        parts = reference.parse(holder["reference"], base)
        if parts.kind == "relative" and parts.type and parts.id:
            found[parts.type, parts.id, parts.version] = None
    return list(found)


async def document(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """The document: the Composition first, then all that it refers to directly.

    Parameters: `persist` (boolean): store the Bundle as well, under a new id; `id` (at type
    level): the Composition. `graph` is not supported.

    Raises:
        NotFound: There is no such Composition.
        Unprocessable: Something it refers to is not here, or it is too much.
        TooLarge: Its Binaries together are over the body limit.
        BadRequest: A parameter cannot be used.
        MethodNotAllowed: `persist` by GET, which must change nothing.
    """
    only(request, *(("persist",) if request.id else ("persist", "id")))
    persist = flag(request, "persist")
    if persist and request.method != "POST":
        raise MethodNotAllowed(fault("not-supported", "operation-needs-post", name="document"))
    id_ = request.id or _id(context, request)
    composition = await whole(door, context, await door.read(context, "Composition", id_))
    wanted = targets(composition, context.base)
    if len(wanted) > MOST:
        raise Unprocessable(fault("too-costly", "document-too-large", limit=MOST))
    others = [target for target in wanted if target[:2] != ("Composition", id_)]
    found: list[Resource] = []
    left = limit = door.settings.body_limit
    for target in others:
        found.append(await whole(door, context, await _target(door, context, target)))
        # Each Binary is within the limit; a thousand of them together need not be.
        left -= len(found[-1].get("data", "")) if target[0] == "Binary" else 0
        if left < 0:
            raise TooLarge(fault("too-long", "binary-raw-only", "Binary.data", limit=limit))
    bundle: Resource = {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{new_id()}"},
        "type": "document",
        "timestamp": context.clock().isoformat(timespec="milliseconds"),
        "entry": [
            {
                "fullUrl": f"{context.base}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
            }
            for resource in (composition, *found)
        ],
    }
    if persist:
        changed = await door.create(context, "Bundle", bundle)
        assert changed.stored is not None
        return OperationAnswer(changed.stored)
    return OperationAnswer(bundle)


def _id(context: Context, request: OperationRequest) -> str:
    """The Composition that the parameter `id` names: its id or its address.

    Raises:
        BadRequest: It names something else.
    """
    given = required(text(request, "id"), "id")
    parts = reference.parse(given if "/" in given else f"Composition/{given}", context.base)
    if parts.kind != "relative" or parts.type != "Composition":
        raise BadRequest(fault("value", "document-id"))
    return parts.id


async def _target(door: Interactions, context: Context, target: Target) -> Stored:
    type_, id_, version = target
    try:
        if version:
            return await door.vread(context, type_, id_, version)
        return await door.read(context, type_, id_)
    except (NotFound, Gone):
        issue = fault("not-found", "document-target-missing", type=type_, id=id_)
        raise Unprocessable(issue) from None


DOCUMENT = Operation(
    "document",
    "http://hl7.org/fhir/OperationDefinition/Composition-document",
    frozenset({"type", "instance"}),
    document,
    frozenset({"Composition"}),
    needs="r",
    stores=lambda request: flag(request, "persist"),
)
