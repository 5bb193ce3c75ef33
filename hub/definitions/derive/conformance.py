"""Packs the package's conformance resources so that neighbours share a compressed frame.

Called by `hub.definitions.build`; read by `hub.definitions.published`.
"""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec

from hub.definitions.derive.package import Artifact

FRAME = 512 * 1024


def derive_conformance(
    artifacts: list[Artifact],
) -> tuple[list[tuple[str, str, str, int, int, int]], list[bytes]]:
    """The index rows (type, url, version, frame, offset, length) and the frames' contents.

    Args:
        artifacts: The package, sorted; those without a canonical are left out.
    """
    rows: list[tuple[str, str, str, int, int, int]] = []
    frames: list[bytes] = []
    current = bytearray()
    for item in artifacts:
        if "url" not in item:
            continue
        raw = msgspec.json.encode(_with_plain_numbers(item))
        if current and len(current) + len(raw) > FRAME:
            frames.append(bytes(current))
            current.clear()
        place = (len(frames), len(current), len(raw))
        rows.append((item["resourceType"], item["url"], item.get("version", ""), *place))
        current += raw
    frames.append(bytes(current))
    return rows, frames


def _with_plain_numbers(value: object) -> object:
    """The value with each Decimal as a raw JSON number."""
    if isinstance(value, dict):
        return {name: _with_plain_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_plain_numbers(item) for item in value]
    if isinstance(value, Decimal):
        return msgspec.Raw(json.dumps(str(value)).strip('"').encode())
    return value
