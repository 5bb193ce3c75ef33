"""$document: a Composition with everything it refers to, as a document Bundle.

Spec: https://hl7.org/fhir/R4/composition-operation-document.html
"""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.errors import BadRequest, Unprocessable, fault
from hub.interactions import Interactions
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.model import body, json, reference
from hub.model.identity import new_id
from hub.operations.parameters import Resource, one
from hub.storage.port import Stored

FLAGS = {"true": True, "false": False, True: True, False: False, None: False}


def _resource(stored: Stored) -> Resource:
    return json.load(body.join(stored.type, stored.id, stored.version, stored.updated, stored.tail))


def targets(resource: Resource, base: str) -> list[tuple[str, str]]:
    """The local resources that a resource refers to, in order, each once."""
    found: dict[tuple[str, str], None] = {}
    for _, holder in reference.walk(resource):
        text = holder.get("reference")
        if isinstance(text, str):
            parts = reference.parse(text, base)
            if parts.kind == "relative" and parts.type and parts.id:
                found[(parts.type, parts.id)] = None
    return list(found)


async def document(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """The document: the Composition first, then all that it refers to directly.

    With `persist` true the Bundle is stored as well, and carries its id.

    Raises:
        NotFound: There is no such Composition.
        Unprocessable: Something it refers to is not here.
        BadRequest: persist is neither true nor false.
    """
    persist: Any = one(request, "persist")
    if persist not in FLAGS:
        raise BadRequest(fault("value", "document-not-persisted"))
    composition = _resource(await door.read(context, "Composition", request.id))
    wanted = targets(composition, context.base)
    found = await door.store.read_many(context.tenant.key, wanted)
    for type_, id_ in wanted:
        if (type_, id_) not in found:
            raise Unprocessable(fault("not-found", "document-target-missing", type=type_, id=id_))
    resources = [composition, *(_resource(found[key]) for key in wanted)]
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
            for resource in resources
        ],
    }
    if FLAGS[persist]:
        changed = await door.create(context, "Bundle", bundle)
        assert changed.stored is not None
        return OperationAnswer(changed.stored)
    return OperationAnswer(bundle)


DOCUMENT = Operation(
    "document",
    "http://hl7.org/fhir/OperationDefinition/Composition-document",
    frozenset({"instance"}),
    document,
    frozenset({"Composition"}),
)
