"""The packed file of a definition table: many small blobs, each decompressed alone.

A pack is a valid zstd file: first a skippable frame (RFC 8878 section 3.1.2) that holds a
MessagePack index, then one zstd frame per blob. Read by the modules of `hub.definitions`,
written by `hub.definitions.build`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

# pathlib would be half of the time that importing hub.definitions takes.
TABLES = os.path.join(os.path.dirname(__file__), "tables")
_SKIPPABLE = 0x184D2A50
_HEADER = struct.Struct("<II")
_LEVEL = 19


class Pack(msgspec.Struct, frozen=True):
    """An opened pack.

    Attributes:
        index: What the writer stored as index (any MessagePack value).
        frames: Byte offsets of the frames, with the end of the last one added.
        content: The whole file.
    """

    index: Any
    frames: tuple[int, ...]
    content: bytes

    def blob(self, number: int) -> bytes:
        """Decompress one blob.

        Args:
            number: Its place in the sequence given to `write_pack`.
        """
        import zstandard

        frame = memoryview(self.content)[self.frames[number] : self.frames[number + 1]]
        return zstandard.ZstdDecompressor().decompress(frame)


@cache
def open_pack(name: str, folder: str | os.PathLike[str] = TABLES) -> Pack:
    """Open a table.

    Args:
        name: File name without its suffix, as `types`.
        folder: Where it is; the committed tables if not given.
    """
    with open(os.path.join(folder, f"{name}.zst"), "rb") as file:
        content = file.read()
    magic, size = _HEADER.unpack_from(content)
    if magic != _SKIPPABLE:
        raise ValueError(f"{name}.zst is not a definition table")
    start = _HEADER.size + size
    index, lengths = msgspec.msgpack.decode(memoryview(content)[_HEADER.size : start])
    frames = [start]
    for length in lengths:
        frames.append(frames[-1] + length)
    return Pack(index, tuple(frames), content)


def write_pack(
    name: str,
    index: Mapping[str, Any] | list[Any],
    blobs: list[bytes],
    folder: str | os.PathLike[str] = TABLES,
) -> bytes:
    """Write a table; the same input gives the same bytes.

    Args:
        name: File name without its suffix.
        index: What `Pack.index` returns.
        blobs: The blobs, compressed one by one.
        folder: Where to.

    Returns:
        The content before compression, to take a hash of.
    """
    import zstandard

    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
    frames = [compressor.compress(blob) for blob in blobs]
    head = msgspec.msgpack.encode((index, [len(frame) for frame in frames]))
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{name}.zst"), "wb") as file:
        file.write(_HEADER.pack(_SKIPPABLE, len(head)) + head + b"".join(frames))
    return msgspec.msgpack.encode((index, blobs))
