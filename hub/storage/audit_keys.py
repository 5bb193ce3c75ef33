"""Keys of audit events: short hashes by which rows that cannot match are passed over.

A store keeps the keys of each row's events; `hub.audit.search` turns criteria into groups of
keys. They are CRC-32: quick, and a collision costs a look at a row, never a wrong answer, for
whatever a store gives is matched again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

from hub.search.folding import fold
from hub.storage.port import AuditRecord


def reference_key(reference: str) -> int:
    """Of an entity, a patient or an agent: `Patient/7`, without version."""
    return crc32(reference.encode())


@lru_cache(maxsize=4096)
def name_key(name: str) -> int:
    """Of a principal's or a client's name, whose case does not count."""
    return crc32(b"=" + fold(name).encode())


@lru_cache(maxsize=1024)
def interaction_key(interaction: str) -> int:
    """Of an interaction."""
    return crc32(b"i:" + interaction.encode())


@lru_cache(maxsize=64)
def action_key(action: str) -> int:
    """Of an action."""
    return crc32(b"a:" + action.encode())


@lru_cache(maxsize=64)
def outcome_key(outcome: str) -> int:
    """Of an outcome."""
    return crc32(b"o:" + outcome.encode())


@lru_cache(maxsize=4096)
def actor_keys(principal: str, client: str, agent: str) -> tuple[int, ...]:
    """Of who acted."""
    found = [name_key(name) for name in (principal, client) if name]
    if agent:
        found.append(reference_key(agent))
    return tuple(found)


@lru_cache(maxsize=1024)
def kind_keys(action: str, interaction: str, outcome: str) -> tuple[int, ...]:
    """Of what was done."""
    return (action_key(action), interaction_key(interaction), outcome_key(outcome))


def entity_key(entity: str) -> int:
    """Of an entity, whose version does not count."""
    at = entity.find("/_history/")
    return crc32((entity if at < 0 else entity[:at]).encode())


def target_keys(record: AuditRecord) -> Iterator[int]:
    """Of what was touched, the writes of a commit left out."""
    for entity in record.entities:
        yield entity_key(entity)
    for patient in record.patients:
        yield crc32(b"Patient/" + patient.encode())


def keys_of(record: AuditRecord) -> set[int]:
    """All keys of an event."""
    return {
        *actor_keys(record.principal, record.client, record.agent),
        *kind_keys(record.action, record.interaction, record.outcome),
        *target_keys(record),
    }
