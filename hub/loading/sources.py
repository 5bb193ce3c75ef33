"""What `load` reads: folders, JSON and XML resources, bundles, ndjson, each also gzipped.

Yields items one by one, so that a file of any size needs little memory: ndjson by line, large
bundles by entry. A transaction stays one item, because it is stored whole or not at all.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from hub.definitions import is_resource_type
from hub.errors import BadRequest, HubError, TooLarge, fault
from hub.loading import large_binary, splitting
from hub.loading.bundles import (
    BY_ENTRY,
    UNDIVIDED,
    entry_items,
    items_of,
    links_of,
    wrong_kind,
)
from hub.loading.item import START, Item, Mark, Place, refused
from hub.model import json

SUFFIXES = (".json", ".ndjson", ".xml")
WHOLE = 1024 * 1024
"""A JSON or XML file larger than this is read by entry, if it can be."""

HEAD = 8192
_END = 64

# What others refer to comes first, what refers to many comes last: less has to wait.
FIRST = (
    "SearchParameter",
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "HealthcareService",
    "Endpoint",
    "Substance",
    "Medication",
    "Patient",
    "RelatedPerson",
    "Device",
    "Binary",
    "CareTeam",
    "EpisodeOfCare",
    "Encounter",
    "Condition",
    "Goal",
    "Observation",
    "MedicationRequest",
)
LAST = ("DiagnosticReport", "Claim", "ExplanationOfBenefit", "List", "Composition", "Provenance")
_OTHERS = len(FIRST)
_RANK = {name: rank for rank, name in enumerate(FIRST)} | {
    name: _OTHERS + 1 + rank for rank, name in enumerate(LAST)
}
_NAMED = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"|<([A-Z][A-Za-z]+)[\s>]').finditer


def files(paths: Iterable[Path]) -> list[Path]:
    """The files to load, folders expanded, in an order that suits their references.

    Args:
        paths: Files and folders.

    Raises:
        FileNotFoundError: A path is not there.
        ValueError: A file named outright has none of the known endings.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if known(file) and not _hidden(file, path))
            found.update(dict.fromkeys(sorted(inside)))
        elif not path.exists():
            raise FileNotFoundError(path)
        elif not known(path):
            raise ValueError(f"{path}: not .json, .ndjson or .xml (or one of them with .gz)")
        else:
            found[path] = None
    return sorted(found, key=rank)


def known(path: Path) -> bool:
    """Whether it is a file with an ending that can be loaded."""
    return path.is_file() and plain_name(path).endswith(SUFFIXES)


def _hidden(file: Path, below: Path) -> bool:
    return any(step.startswith(".") for step in file.relative_to(below).parts)


def plain_name(path: Path) -> str:
    """The file's name in small letters, without .gz."""
    return path.name.lower().removesuffix(".gz")


def rank(path: Path) -> int:
    """Where in the order a file comes, by the first resource type it names."""
    try:
        with opened(path) as (stream, _):
            start = stream.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return 0
    for found in _NAMED(start):
        name = (found[1] or found[2]).decode()
        if name != "Bundle" and is_resource_type(name):
            return _RANK.get(name, _OTHERS)
    return _OTHERS


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """A file's content, unzipped, and a function that tells how much of the file was read."""
    with path.open("rb") as raw:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield io.BufferedReader(unzipped), raw.tell
        else:
            yield raw, raw.tell


def items(path: Path, limit: int, start: Mark = START) -> Iterator[Item]:
    """The items of one file; one that says so when it cannot be read to its end.

    Args:
        path: File.
        limit: Bytes of the largest item.
        start: Where to go on.
    """
    name = plain_name(path)
    read = _lines if name.endswith(".ndjson") else _xml if name.endswith(".xml") else _json
    try:
        yield from read(path, limit, start)
    except HubError as error:
        yield refused(Place(path), error)
    except splitting.BrokenError as error:
        yield refused(
            Place(path), BadRequest(fault("invalid", "load-json-broken", offset=error.offset))
        )
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield refused(Place(path), BadRequest(fault("invalid", "load-gzip-broken")))
    except OSError as error:
        yield refused(
            Place(path),
            BadRequest(fault("invalid", "load-unreadable", reason=error.strerror or "I/O error")),
        )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(fault("too-long", "load-item-too-large", limit=limit))


def _lines(path: Path, limit: int, start: Mark) -> Iterator[Item]:
    offset, number = start
    with opened(path) as (stream, tell):
        stream.seek(offset)
        while line := stream.readline(limit + 1):
            before = Mark(offset, number)
            number += 1
            offset += len(line)
            where = f"line {number}"
            if len(line) > limit:
                end = _skip(stream, line)
                offset += end.more
                place = Place(path, where, Mark(offset, number), tell())
                length = offset - before.offset - end.space
                large = large_binary.find(place, line, end.text, before.offset, length)
                yield large or refused(place, _too_large(limit))
                continue
            place = Place(path, where, Mark(offset, number), tell())
            text = line.strip()
            if text:
                found = _decoded(place, text, json.decode)
                # Whoever stops within a line starts with that line again.
                for item in found[:-1]:
                    yield replace(item, place=item.place._replace(mark=before))
                yield from found[-1:]


class _End(NamedTuple):
    """How a long line ends: bytes read to get there, its last text, white space after that."""

    more: int
    text: bytes
    space: int


def _skip(stream: IO[bytes], line: bytes) -> _End:
    """Read to the end of a line that is too long to be kept."""
    more = 0
    end = line[-_END:]
    while not end.endswith(b"\n") and (piece := stream.readline(WHOLE)):
        more += len(piece)
        end = (end + piece)[-_END:]
    text = end.rstrip()
    return _End(more, text, len(end) - len(text))


def _decoded(place: Place, text: bytes, decode: Callable[[bytes], dict[str, Any]]) -> list[Item]:
    """The items in the text of one line or file."""
    try:
        resource = decode(text)
    except HubError as error:
        return [refused(place, error)]
    return list(items_of(place, resource, text if decode is json.decode else b""))


def _json(path: Path, limit: int, start: Mark) -> Iterator[Item]:
    return _file(path, limit, start, _JSON)


def _xml(path: Path, limit: int, start: Mark) -> Iterator[Item]:
    from hub.loading import xml_entries
    from hub.model import xml

    def entry(text: bytes) -> object:
        return xml.parse(text)["entry"][0]

    return _file(
        path, limit, start, _Format(xml.parse, entry, xml_entries.head, xml_entries.entries)
    )


class _Format(NamedTuple):
    """How a kind of file is read.

    Attributes:
        whole: Decodes a file's text.
        entry: Decodes an entry's text.
        head: Tells what a large file is.
        entries: Takes a large Bundle apart.
    """

    whole: Callable[[bytes], dict[str, Any]]
    entry: Callable[[bytes], object]
    head: Callable[[IO[bytes], int], splitting.Head]
    entries: Callable[[IO[bytes], int, Mark], Iterator[splitting.Piece]]


_JSON = _Format(json.decode, json.decode, splitting.head, splitting.entries)


def _file(path: Path, limit: int, start: Mark, format: _Format) -> Iterator[Item]:
    """One resource or Bundle; a large Bundle by entry, unless it must stay whole."""
    with opened(path) as (stream, tell):
        text = stream.read(WHOLE + 1)
        if len(text) > WHOLE:
            stream.seek(0)
            head = format.head(stream, limit)
            if head.kind == "Bundle" and not head.stored and head.type not in UNDIVIDED:
                if head.type in BY_ENTRY:
                    yield from _by_entry(path, limit, start, format, head.links)
                else:
                    yield wrong_kind(Place(path), head.type)
                return
            stream.seek(0)
            text = stream.read(limit + 1)
        place = Place(path, read=tell())
        if len(text) > limit:
            yield refused(place, _too_large(limit))
        else:
            yield from _decoded(place, text, format.whole)


def _by_entry(
    path: Path, limit: int, start: Mark, format: _Format, with_links: bool
) -> Iterator[Item]:
    """The entries of a large Bundle; it is read twice when they refer to each other by urn."""
    links: dict[str, str] = {}
    if with_links:
        with opened(path) as (stream, _):
            for piece in format.entries(stream, limit, START):
                # What cannot be read is told when its turn comes.
                with suppress(HubError):
                    links.update(links_of((format.entry(piece.text or b""),)))
    with opened(path) as (stream, tell):
        for piece in format.entries(stream, limit, start):
            place = Place(path, f"entry[{piece.mark.number - 1}]", piece.mark, tell())
            if piece.text is None:
                yield refused(place, _too_large(limit))
                continue
            try:
                entry = format.entry(piece.text)
            except HubError as error:
                yield refused(place, error)
            else:
                yield from entry_items(place, entry, links)
