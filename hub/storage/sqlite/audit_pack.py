"""Records of the audit table as bytes.

A record begins with a byte that MessagePack never uses, its kind, the number of its keys, how
many milliseconds before its row the oldest event happened, and the keys (32 bits each, sorted):
what `audit_search` decides by whether to read on. Then follow the events as MessagePack, those
of a block with what they share told once, and compressed. Records of the first releases are a
MessagePack list without anything before it; they stay readable.
Called by `commit`, `store`, `upkeep`, `audit_search` and `verify`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import zstandard

from hub.storage.audit_keys import actor_keys, entity_key, keys_of, kind_keys, target_keys
from hub.storage.port import AuditRecord
from hub.storage.sqlite.interner import grow, shrink
from hub.storage.sqlite.schema import TypeNames

MARK = 0xC1
COMMIT, BLOCK, SMALL_BLOCK = 1, 2, 3
HEADER = struct.Struct("<BBII")
LONGEST_AGO = 0xFFFFFFFF
LARGEST_BLOCK = 1 << 28
_SQUEEZE_FROM = 256

_encode = msgspec.msgpack.Encoder().encode
_decode_first = msgspec.msgpack.Decoder(tuple[str, str, str, Any, str, tuple[Any, ...]]).decode
_Actor = tuple[str, str, Any, str]
_Kind = tuple[str, str, str]
_decode_commit = msgspec.msgpack.Decoder(
    tuple[_Actor, str, str, str, Any, tuple[Any, ...], tuple[Any, ...], str, str]
).decode
_Event = tuple[int, int, int, Any, tuple[str, ...], tuple[Any, ...], str, str]
_decode_block = msgspec.msgpack.Decoder(
    tuple[int, tuple[_Actor, ...], tuple[_Kind, ...], tuple[_Event, ...]]
).decode
_is_hex = re.compile(r"(?:[0-9a-f]{2}){4,32}").fullmatch

Written = tuple[int, str, str, int]
"""Type number, type, id and version of what a commit wrote."""

DAMAGED = (msgspec.MsgspecError, KeyError, IndexError, struct.error, zstandard.ZstdError)
"""What `unpack` raises on bytes that no `pack` made."""


class Unpacked(NamedTuple):
    """Events of a row; `block` as in `AuditRow`."""

    block: bool
    records: tuple[AuditRecord, ...]


def pack(record: AuditRecord, written: Iterable[Written]) -> bytes:
    """The record of a commit.

    Args:
        record: What the commit tells of itself.
        written: The versions it wrote.
    """
    actor, who = _actor(record.principal, record.client, record.agent, record.address)
    keys = {*who, *kind_keys(record.action, record.interaction, record.outcome)}
    if record.entities or record.patients:
        keys.update(target_keys(record))
    entities: list[Any] = list(record.entities)
    for number, type, id, version in written:
        keys.add(entity_key(f"{type}/{id}"))
        entities.append((number, shrink(id), version))
    request: str | bytes = record.request_id
    if _is_hex(record.request_id):
        request = bytes.fromhex(record.request_id)
    patients = [shrink(id) for id in record.patients]
    said = (
        actor,
        record.action,
        record.interaction,
        record.outcome,
        request,
        entities,
        patients,
        record.query,
        record.detail,
    )
    count = len(keys)
    return struct.pack(f"<BBII{count}I", MARK, COMMIT, count, 0, *sorted(keys)) + _encode(said)


@lru_cache(maxsize=4096)
def _actor(
    principal: str, client: str, agent: str, address: str
) -> tuple[msgspec.Raw, tuple[int, ...]]:
    """Who acts, encoded, and the keys; the same few act again and again."""
    type, slash, id = agent.partition("/")
    who: Any = (type, shrink(id)) if slash else agent
    encoded = _encode((principal, client, who, address))
    return msgspec.Raw(encoded), actor_keys(principal, client, agent)


def pack_block(records: Sequence[AuditRecord], clock: int) -> bytes:
    """The record of a block.

    Args:
        records: Its events, each with its time.
        clock: When its row is written, at the earliest.
    """
    actors: dict[tuple[str, str, str, str], int] = {}
    kinds: dict[_Kind, int] = {}
    keys: set[int] = set()
    base = min(record.time for record in records)
    events = []
    for one in records:
        who = (one.principal, one.client, one.agent, one.address)
        kind = (one.action, one.interaction, one.outcome)
        entities, patients, request = one.entities, one.patients, one.request_id
        if entities or patients:
            keys.update(target_keys(one))
        events.append(
            (
                one.time - base,
                actors.setdefault(who, len(actors)),
                kinds.setdefault(kind, len(kinds)),
                bytes.fromhex(request) if _is_hex(request) else request,
                entities,
                patients,
                one.query,
                one.detail,
            )
        )
    for who in actors:
        keys.update(_actor(*who)[1])
    for kind in kinds:
        keys.update(kind_keys(*kind))
    body = _encode((base, [_actor(*who)[0] for who in actors], list(kinds), events))
    form = BLOCK
    if len(body) >= _SQUEEZE_FROM:
        squeezed = zstandard.ZstdCompressor(level=3, write_checksum=False).compress(body)
        if len(squeezed) < len(body):
            form, body = SMALL_BLOCK, squeezed
    count = len(keys)
    ago = min(max(clock - base, 0), LONGEST_AGO)
    return struct.pack(f"<BBII{count}I", MARK, form, count, ago, *sorted(keys)) + body


def unpack(packed: bytes, time: int, types: TypeNames) -> Unpacked:
    """The events of a row.

    Args:
        packed: Its record.
        time: Its time, which is that of a commit's event.
        types: Numbers of the types.

    Raises:
        DAMAGED: It is damaged.
    """
    if packed[:1] != b"\xc1":
        return Unpacked(False, (_unpack_first(packed, time, types),))
    _, form, count, _ = HEADER.unpack_from(packed)
    body = memoryview(packed)[HEADER.size + 4 * count :]
    if form == COMMIT:
        return Unpacked(False, (_unpack_commit(body, time, types),))
    if form == SMALL_BLOCK:
        body = memoryview(
            zstandard.ZstdDecompressor().decompress(body, max_output_size=LARGEST_BLOCK)
        )
    base, actors, kinds, events = _decode_block(body)
    made = []
    for after, actor, kind, request, entities, patients, query, detail in events:
        principal, client, agent, address = actors[actor]
        action, interaction, outcome = kinds[kind]
        made.append(
            AuditRecord(
                action,
                interaction,
                principal,
                request if isinstance(request, str) else request.hex(),
                outcome,
                entities,
                client,
                _agent(agent),
                address,
                query,
                patients,
                detail,
                base + after,
            )
        )
    return Unpacked(True, tuple(made))


def _unpack_commit(body: memoryview, time: int, types: TypeNames) -> AuditRecord:
    actor, action, interaction, outcome, request, entities, patients, query, detail = (
        _decode_commit(body)
    )
    principal, client, agent, address = actor
    return AuditRecord(
        action,
        interaction,
        principal,
        request if isinstance(request, str) else request.hex(),
        outcome,
        _entities(entities, types),
        client,
        _agent(agent),
        address,
        query,
        tuple([grow(id) for id in patients]),
        detail,
        time,
    )


def _unpack_first(packed: bytes, time: int, types: TypeNames) -> AuditRecord:
    action, interaction, principal, request, outcome, entities = _decode_first(packed)
    return AuditRecord(
        action,
        interaction,
        principal,
        request if isinstance(request, str) else request.hex(),
        outcome,
        _entities(entities, types),
        time=time,
    )


def _entities(entities: tuple[Any, ...], types: TypeNames) -> tuple[str, ...]:
    return tuple(
        [
            entity
            if isinstance(entity, str)
            else f"{types.names[entity[0]]}/{grow(entity[1])}/_history/{entity[2]}"
            for entity in entities
        ]
    )


def _agent(stored: Any) -> str:
    return stored if isinstance(stored, str) else f"{stored[0]}/{grow(stored[1])}"


def stored_keys(packed: bytes, types: TypeNames) -> tuple[tuple[int, ...], int]:
    """Keys of a row and the milliseconds from its oldest event to it."""
    if packed[:1] != b"\xc1":
        return tuple(sorted(keys_of(_unpack_first(packed, 0, types)))), 0
    _, _, count, ago = HEADER.unpack_from(packed)
    return struct.unpack_from(f"<{count}I", packed, HEADER.size), ago


def own_keys(unpacked: Unpacked) -> tuple[int, ...]:
    """Keys that the events of a row have: what `stored_keys` should give."""
    found: set[int] = set()
    for record in unpacked.records:
        found |= keys_of(record)
    return tuple(sorted(found))
