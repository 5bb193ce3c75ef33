"""Takes the entries out of a JSON Bundle of any size, one by one, each as its own bytes.

Only brackets and strings are looked at; what an entry says is decoded by the caller with all
guards, so that numbers keep their digits and repeated keys are noticed. Called by `sources`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from hub.loading.item import START, Mark

CHUNK = 256 * 1024

_TOKEN = re.compile(rb'[{}\[\]]|"[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_QUOTE, _BRACKET = b'"['
_OPEN, _CLOSE = b"{[", b"}]"


class Head(NamedTuple):
    """What the top of a JSON file says.

    Attributes:
        kind: resourceType, "" if none was found.
        type: Bundle.type.
        stored: It has a meta.versionId.
        links: Its first entry's fullUrl is a urn.
    """

    kind: str = ""
    type: str = ""
    stored: bool = False
    links: bool = False


class Piece(NamedTuple):
    """An entry: its bytes, None when it is too large, and where reading goes on after it."""

    text: bytes | None
    mark: Mark


class BrokenError(ValueError):
    """The JSON ends or breaks near a byte, or a string in it is too long to be kept."""

    def __init__(self, offset: int) -> None:
        """Keep the offset."""
        super().__init__(f"near byte {offset}")
        self.offset = offset


def _tokens(stream: IO[bytes], offset: int, longest: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Brackets and whole strings.

    Yields:
        A chunk, its offset, and where in it the token starts and ends. Equal start and end: the
        chunk ends there, and the next one goes on at that byte.

    Raises:
        BrokenError: A string does not end.
    """
    rest = b""
    while data := stream.read(max(CHUNK, len(rest))):
        chunk = rest + data
        end = len(chunk)
        for found in _TOKEN.finditer(chunk):
            start, stop = found.span()
            if chunk[start] == _QUOTE and not found[1]:
                end = start
                break
            yield chunk, offset, start, stop
        yield chunk, offset, end, end
        rest = chunk[end:]
        offset += end
        if len(rest) > longest:
            raise BrokenError(offset)
    if rest:
        raise BrokenError(offset)


def head(stream: IO[bytes], longest: int) -> Head:
    """Read as much of a file as tells what it is.

    Args:
        stream: At its start.
        longest: Most bytes of a string.

    Raises:
        BrokenError: It is no whole JSON.
    """
    depth = 0
    last = dict.fromkeys(range(4), b"")
    kind = type_ = ""
    stored = links = False
    for chunk, _, start, end in _tokens(stream, 0, longest):
        if start == end:
            continue
        if chunk[start] in _OPEN:
            depth += 1
        elif chunk[start] in _CLOSE:
            depth -= 1
            if depth == 2 and last[1] == b'"entry"' and kind and type_:
                break
        elif depth < 4:
            text, before, last[depth] = chunk[start:end], last[depth], chunk[start:end]
            if depth == 1:
                kind = kind or (_name(text) if before == b'"resourceType"' else "")
                type_ = type_ or (_name(text) if before == b'"type"' else "")
            elif depth == 2:
                stored = stored or (last[1] == b'"meta"' and text == b'"versionId"')
            elif depth == 3 and last[1] == b'"entry"' and before == b'"fullUrl"':
                links = links or text.startswith(b'"urn:')
        if kind and kind != "Bundle":
            break
    return Head(kind, type_, stored, links)


def _name(text: bytes) -> str:
    return text[1:65].rstrip(b'"').decode(errors="replace")


def entries(stream: IO[bytes], limit: int, mark: Mark = START) -> Iterator[Piece]:
    """The entries of a Bundle.

    Args:
        stream: A file that can be sought.
        limit: Most bytes of an entry; larger ones come without their text.
        mark: Where to go on.

    Raises:
        BrokenError: The file ends before the Bundle does.
    """
    depth, listed = (2, True) if mark.offset else (0, False)
    key = b""
    number = mark.number
    parts: list[bytes] = []
    size, begin = 0, -1
    stream.seek(mark.offset)
    offset = mark.offset
    for chunk, offset, start, end in _tokens(stream, mark.offset, limit):
        letter = chunk[start] if start < end else 0
        if not letter:
            if begin >= 0:
                size += end - begin
                parts = [*parts, chunk[begin:end]] if size <= limit else []
                begin = 0
        elif letter in _OPEN:
            depth += 1
            if depth == 3 and listed:
                begin, size, parts = start, 0, []
            elif depth == 2 and letter == _BRACKET and key == b'"entry"':
                listed = True
        elif letter in _CLOSE:
            depth -= 1
            if depth == 2 and begin >= 0:
                size += end - begin
                number += 1
                text = b"".join((*parts, chunk[begin:end])) if size <= limit else None
                yield Piece(text, Mark(offset + end, number))
                begin = -1
            elif depth == 1 and listed:
                return
        elif depth == 1:
            key = chunk[start:end]
    if depth > 0:
        raise BrokenError(offset)
