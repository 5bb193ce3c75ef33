"""Marks: what is remembered beside a resource that messages tell of, and how it is stored.

For each element how new it is. Kept in the log of messages (`hub.storage.message_log.Mark`),
forty bytes for most resources. Called by `adapters.hl7v2.merging` and what reads and writes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from adapters.hl7v2.merged_elements import names_of, numbers_of
from hub.model import json

IDENTIFIED = "="
"""Leads the names of stamps of single identifiers."""

_EARLIER = 1 << 60
_DIGEST = 6


class Stamp(NamedTuple):
    """How new something is: when it happened (ms), then in which row of the log it came."""

    event: int
    row: int

    @property
    def initial(self) -> Stamp:
        """Of what holds only while nobody has told of it: older than all that was told."""
        return Stamp(self.event - _EARLIER, self.row)


NEVER = Stamp(-2 * _EARLIER, 0)


@dataclass(slots=True)
class Marks:
    """What is remembered beside a resource.

    Attributes:
        version: The version that the newest of its messages has left; 0: none has yet.
        floor: What is older tells nothing: its resource was deleted then.
        stamps: By element how new it is; single identifiers by `identifier_name`.
    """

    version: int = 0
    floor: Stamp = NEVER
    stamps: dict[str, Stamp] = field(default_factory=dict)

    def of(self, name: str) -> Stamp:
        """How new an element is."""
        return self.stamps.get(name, self.floor)


def identifier_name(identifier: Any) -> str:
    """The name under which the stamp of an identifier is kept: it does not show it."""
    return IDENTIFIED + hashlib.blake2b(_key(identifier), digest_size=_DIGEST).hexdigest()


def _key(identifier: Any) -> bytes:
    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
        return json.encode([identifier.get("system", ""), identifier["value"]])
    return json.encode(identifier)


def pack(type: str, marks: Marks) -> bytes:
    """Marks as they are stored: version, what each stamp is of, and the floor if there is one.

    Elements are numbers, of a byte each; single identifiers are their digests.
    """
    grouped: dict[Stamp, list[str]] = {}
    for name, stamp in marks.stamps.items():
        grouped.setdefault(stamp, []).append(name)
    stamps = [
        (
            event,
            row,
            _numbers(type, tuple([name for name in names if name[0] != IDENTIFIED])),
            bytes.fromhex("".join(sorted([name[1:] for name in names if name[0] == IDENTIFIED]))),
        )
        for (event, row), names in sorted(grouped.items())
    ]
    floor = () if marks.floor == NEVER else marks.floor
    return msgspec.msgpack.encode((marks.version, stamps, *floor))


@lru_cache(maxsize=4096)
def _numbers(type: str, names: tuple[str, ...]) -> bytes:
    numbers = numbers_of(type)
    return bytes([numbers[name] for name in sorted(names) if name in numbers])


class _Packed(msgspec.Struct, array_like=True):
    version: int
    stamps: list[tuple[int, int, bytes, bytes]]
    event: int = NEVER.event
    row: int = NEVER.row


_decoder = msgspec.msgpack.Decoder(_Packed)


def unpack(type: str, packed: bytes) -> Marks:
    """The opposite of `pack`."""
    found, names = _decoder.decode(packed), names_of(type)
    stamps: dict[str, Stamp] = {}
    for event, row, elements, digests in found.stamps:
        stamp, all = Stamp(event, row), digests.hex()
        stamps.update(dict.fromkeys([names[number] for number in elements], stamp))
        for start in range(0, len(all), 2 * _DIGEST):
            stamps[IDENTIFIED + all[start : start + 2 * _DIGEST]] = stamp
    return Marks(found.version, Stamp(found.event, found.row), stamps)
