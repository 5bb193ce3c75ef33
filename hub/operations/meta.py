"""$meta: profiles, tags and security labels in use on the system, a type or an instance.

Spec: https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import msgspec

from hub.context import Context
from hub.errors import DamagedStorage, Forbidden, HubError, TooCostly, fault
from hub.interactions import Interactions, sight
from hub.interactions.answer import body_of
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.interactions.unavailable import damaged
from hub.model import json
from hub.operations.parameters import only
from hub.storage.port import BodyDamaged, Stored

LISTS = ("profile", "security", "tag")
PAGE = 1000


class _OnlyMeta(msgspec.Struct):
    meta: msgspec.Raw


_decode = msgspec.json.Decoder(_OnlyMeta).decode


def identity(name: str, item: Any) -> object:
    """What makes two entries of a Meta list the same: a Coding's system and code."""
    return item if name == "profile" else (item.get("system"), item.get("code"))


def meta_of(stored: Stored) -> dict[str, Any]:
    """The Meta of a stored version, without decoding the rest of it.

    Raises:
        DamagedStorage: What is stored is no resource.
    """
    try:
        return json.load(bytes(_decode(body_of(stored)).meta))
    except (msgspec.MsgspecError, HubError):
        raise damaged(stored.type, stored.id) from None


def answer(meta: dict[str, Any]) -> OperationAnswer:
    """The operation's Parameters."""
    return OperationAnswer(
        {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": meta}]}
    )


async def meta(door: Interactions, context: Context, request: OperationRequest) -> OperationAnswer:
    """The Meta of an instance, or the union of those of a type or of the system.

    A union passes over resources whose stored body is damaged; `check` names them.

    Raises:
        DamagedStorage: The instance's stored body is damaged.
        NotFound: There is no such instance.
        Forbidden: Some of a type or the system may not be seen.
        TooCostly: There are more resources than can be looked through in time.
    """
    only(request)
    if request.id:
        return answer(meta_of(await door.read(context, request.type, request.id)))
    if not sight.sees_all(context, request.type):
        raise Forbidden(fault("forbidden", "access-everywhere"))
    union: dict[str, dict[object, Any]] = {name: {} for name in LISTS}
    types = (request.type,) if request.type else ()
    end = time.monotonic() + door.settings.search_deadline
    after = 0
    while True:
        if time.monotonic() > end:
            raise TooCostly(fault("too-costly", "meta-too-costly"))
        page: list[Stored] = []
        try:
            page, after = await door.store.scan(context.tenant.key, types, after, PAGE)
        except BodyDamaged as error:
            after = error.after
            continue
        if not page:
            return answer({name: list(items.values()) for name, items in union.items() if items})
        for stored in page:
            if stored.tail.startswith(b","):
                with suppress(DamagedStorage):
                    _add(union, meta_of(stored))


def _add(union: dict[str, dict[object, Any]], found: dict[str, Any]) -> None:
    for name in LISTS:
        for item in found.get(name, ()):
            union[name].setdefault(identity(name, item), item)


META = Operation(
    "meta",
    "http://hl7.org/fhir/OperationDefinition/Resource-meta",
    frozenset({"system", "type", "instance"}),
    meta,
    needs="r",
)
