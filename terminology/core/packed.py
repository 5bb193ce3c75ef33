"""The concepts of a large code system as one compressed blob beside its resource.

A CodeSystem that was loaded from a file has no `concept`; an extension names the Binary that
holds them: msgpack of `Columns`, compressed by zstd. Written by `terminology.loaders.storing`,
read by the sources of content. A blob is read with suspicion: the CodeSystem names its
fingerprint, and whoever may write both a Binary and a CodeSystem could have made it.
Spec: https://hl7.org/fhir/R4/codesystem.html (content `not-present`)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import msgspec
import zstandard

from terminology.core.shapes import CodeSystem, Columns

EXTENSION = "urn:fhir-hub:concepts"
"""On a CodeSystem: valueReference to the Binary with its concepts."""

CONTENT_TYPE = "application/x-fhir-hub-concepts"

MOST_BYTES = 1 << 30
"""Of a blob when it is unpacked."""

_MAGIC = b"FHC1"
_REFERENCE = re.compile(r"Binary/([A-Za-z0-9\-.]{1,64})\Z")


class PackedDamaged(Exception):
    """A blob does not hold concepts."""


def pack(columns: Columns) -> bytes:
    """Concepts as a blob.

    Args:
        columns: The concepts.
    """
    return _MAGIC + zstandard.ZstdCompressor(level=6).compress(msgspec.msgpack.encode(columns))


def fingerprint(blob: bytes) -> str:
    """What the id of a Binary with concepts ends with, so that no other bytes stand in for them.

    Args:
        blob: From `pack`.
    """
    return hashlib.sha256(blob).hexdigest()[:20]


def unpack(blob: bytes) -> Columns:
    """Concepts from a blob.

    Args:
        blob: From `pack`.

    Raises:
        PackedDamaged: It is something else, or over a gigabyte.
    """
    if blob[:4] != _MAGIC:
        raise PackedDamaged("no packed concepts")
    try:
        size = zstandard.frame_content_size(blob[4:])
        if not 0 <= size <= MOST_BYTES:
            raise PackedDamaged("too large")
        packed = zstandard.ZstdDecompressor().decompress(blob[4:], max_output_size=MOST_BYTES)
        columns = msgspec.msgpack.decode(packed, type=Columns)
    except (zstandard.ZstdError, msgspec.DecodeError, MemoryError, RecursionError) as error:
        raise PackedDamaged(type(error).__name__) from error
    if not _is_sound(columns):
        raise PackedDamaged("columns do not fit together")
    return columns


def _is_sound(columns: Columns) -> bool:
    """Whether the columns are of one length, and every ordinal is one."""
    count = len(columns.codes)
    sparse: Iterable[Mapping[int, Any]] = (
        columns.definitions,
        columns.designations,
        columns.properties,
        columns.parents,
        columns.extensions,
    )
    ordinals = chain(*sparse, chain.from_iterable(columns.parents.values()))
    return (
        len(columns.displays) == count
        and len(set(columns.codes)) == count
        and all(0 <= ordinal < count for ordinal in ordinals)
    )


def unpacked(resource: Mapping[str, Any], columns: Columns) -> CodeSystem:
    """A code system whose concepts were kept apart.

    Args:
        resource: CodeSystem with `binary_of`; its content says `not-present`.
        columns: What its Binary holds.
    """
    header = {name: content for name, content in resource.items() if name != "concept"}
    return CodeSystem(header | {"content": "complete"}, columns)


def binary_of(resource: Mapping[str, Any]) -> str:
    """Logical id of the Binary with a CodeSystem's concepts, "" when it holds them itself.

    Args:
        resource: CodeSystem.
    """
    extensions = resource.get("extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and extension.get("url") == EXTENSION:
            target = extension.get("valueReference")
            reference = target.get("reference") if isinstance(target, dict) else None
            found = _REFERENCE.match(reference) if isinstance(reference, str) else None
            if found is not None:
                return found[1]
    return ""
