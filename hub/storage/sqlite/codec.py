"""Compression of stored bodies: zstd with a trained dictionary, named per row.

A row's `codec` is `RAW` or the number of the dictionary file `dictionaries/<number>.dict`, so
that old rows stay readable when a better dictionary is added. Frames carry neither magic
number nor dictionary id, which the row knows, but a checksum (4 bytes, 0.2 us): a flipped bit
is damage, not other content.
Called by `commit` (compress) and `record`, `history`, `verify` (expand).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import zstandard

RAW = 0
CURRENT = 2
LEVEL = 3
SMALLEST = 48
"""Shorter tails are kept as they are."""


class UnknownCodecError(ValueError):
    """A row names a dictionary or key that this release does not have."""


class Codec:
    """Compresses and expands; one per thread, for zstd contexts are not shared."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(
            dict_data=_dictionary(CURRENT), compression_params=_parameters()
        )
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {}
        self._expand = self._decompressor(CURRENT).decompress

    def compress(self, tail: bytes) -> tuple[int, bytes]:
        """Codec number and compressed bytes of a tail."""
        if len(tail) >= SMALLEST:
            squeezed = self._compressor.compress(tail)
            if len(squeezed) < len(tail):
                return CURRENT, squeezed
        return RAW, tail

    def expand(self, codec: int, key: int, body: bytes) -> bytes:
        """The tail again.

        Args:
            codec: Codec number of the row.
            key: Encryption key number of the row; only 0 (none) is known.
            body: Stored bytes.

        Raises:
            UnknownCodecError: The row was written by a newer release.
            zstandard.ZstdError: The bytes are damaged.
        """
        if key:
            raise UnknownCodecError(f"key {key}")
        if codec == CURRENT:
            return self._expand(body)
        if codec == RAW:
            return body
        return self._decompressor(codec).decompress(body)

    def _decompressor(self, codec: int) -> zstandard.ZstdDecompressor:
        if codec not in self._decompressors:
            self._decompressors[codec] = zstandard.ZstdDecompressor(
                dict_data=_dictionary(codec), format=zstandard.FORMAT_ZSTD1_MAGICLESS
            )
        return self._decompressors[codec]


def _parameters() -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters.from_level(
        LEVEL,
        format=zstandard.FORMAT_ZSTD1_MAGICLESS,
        write_content_size=True,
        write_checksum=True,
        write_dict_id=False,
    )


@lru_cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    file = resources.files("hub.storage.sqlite") / "dictionaries" / f"{number}.dict"
    if not file.is_file():
        raise UnknownCodecError(f"dictionary {number}")
    return zstandard.ZstdCompressionDict(file.read_bytes())
