"""What `load` reads: folders, JSON and XML resources, bundles, ndjson, each also gzipped.

Yields items one by one, so that a file of any size needs little memory: ndjson by line, large
bundles by entry (ijson, numbers keep their digits). A transaction stays one item, because it
is stored whole or not at all.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import ijson

from hub.errors import BadRequest, HubError, fault
from hub.model import json, xml

SUFFIXES = (".json", ".ndjson", ".xml")
ATOMIC = ("transaction",)


class Mark(NamedTuple):
    """A place in a file: bytes (of the text inside, if gzipped) and lines before it."""

    offset: int = 0
    line: int = 0


START = Mark()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to store.

    Attributes:
        path: File it came from.
        where: `line 12`, `entry[3]`, or "" for the whole file.
        mark: Where reading goes on after this item: for progress and, in ndjson, to resume.
        resource: The resource or transaction bundle; None when it could not be read.
        digest: SHA-256 of its text or of the file, which makes loading it again recognisable.
        error: Why it could not be read.
    """

    path: Path
    where: str
    mark: Mark
    resource: dict[str, Any] | None
    digest: str = ""
    error: HubError | None = None


def files(paths: Iterable[Path]) -> list[Path]:
    """The files to load, folders expanded in name order.

    Args:
        paths: Files and folders.

    Raises:
        FileNotFoundError: A path is not there.
        ValueError: A file named outright has none of the known endings.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(file for file in sorted(path.rglob("*")) if known(file))
        elif not path.exists():
            raise FileNotFoundError(path)
        elif not known(path):
            raise ValueError(f"{path}: not .json, .ndjson or .xml (or one of them with .gz)")
        else:
            found.append(path)
    return found


def known(path: Path) -> bool:
    """Whether the ending is one that can be loaded."""
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and name.endswith(SUFFIXES)


def items(path: Path, limit: int, start: Mark = START) -> Iterator[Item]:
    """The items of one file.

    Args:
        path: File.
        limit: Bytes that are decoded in one piece; a larger JSON file is streamed.
        start: Where to go on in an ndjson file; the start of a line. Other files are read
            whole again.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".ndjson"):
        yield from _lines(path, limit, start)
    elif name.endswith(".xml"):
        yield from _whole(path, xml.parse, limit)
    elif path.suffix.lower() == ".gz" or path.stat().st_size > limit:
        yield from _streamed(path, limit)
    else:
        yield from _whole(path, json.decode, limit)


def _open(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _lines(path: Path, limit: int, start: Mark) -> Iterator[Item]:
    offset, number = start
    with _open(path) as stream:
        stream.seek(offset)
        while line := stream.readline(limit + 1):
            number += 1
            offset += len(line)
            error: HubError | None = None
            if len(line) > limit:
                error = _too_long(limit)
                while not line.endswith(b"\n") and (line := stream.readline(limit)):
                    offset += len(line)
            text = line.strip()
            if not text:
                continue
            resource = None
            if error is None:
                try:
                    resource = json.decode(text)
                except HubError as refused:
                    error = refused
            digest = hashlib.sha256(text).hexdigest()
            yield Item(path, f"line {number}", Mark(offset, number), resource, digest, error)


def _too_long(limit: int) -> BadRequest:
    return BadRequest(fault("too-long", "load-item-too-large", limit=limit))


def _whole(path: Path, decode: Any, limit: int) -> Iterator[Item]:
    with _open(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        yield Item(path, "", Mark(path.stat().st_size), None, error=_too_long(limit))
        return
    try:
        resource = decode(data)
    except HubError as error:
        yield Item(path, "", Mark(len(data)), None, error=error)
        return
    yield from _unwrap(path, resource, len(data), hashlib.sha256(data).hexdigest())


def _unwrap(path: Path, resource: dict[str, Any], size: int, digest: str) -> Iterator[Item]:
    """A transaction as it is; of every other bundle the resources; a resource as it is."""
    if resource.get("resourceType") != "Bundle" or resource.get("type") in ATOMIC:
        yield Item(path, "", Mark(size), resource, digest)
        return
    for index, entry in enumerate(resource.get("entry") or []):
        inner = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inner, dict):
            digest = hashlib.sha256(json.encode(inner)).hexdigest()
            yield Item(path, f"entry[{index}]", Mark(size), inner, digest)


def _streamed(path: Path, limit: int) -> Iterator[Item]:
    """A large or compressed JSON file: the entries of a bundle one by one."""
    kind, type_ = _peek(path)
    if kind != "Bundle" or type_ in ATOMIC:
        yield from _whole(path, json.decode, limit)
        return
    with _open(path) as stream:
        try:
            for index, inner in enumerate(ijson.items(stream, "entry.item.resource")):
                text = json.encode(inner)
                where = f"entry[{index}]"
                digest = hashlib.sha256(text).hexdigest()
                yield Item(path, where, Mark(stream.tell()), json.decode(text), digest)
        except ijson.JSONError:
            error = BadRequest(fault("invalid", "load-json-broken", offset=stream.tell()))
            yield Item(path, "", Mark(stream.tell()), None, error=error)


def _peek(path: Path) -> tuple[str, str]:
    """Read resourceType and type of a JSON file, no further than its first entry."""
    kind = type_ = ""
    with _open(path) as stream:
        try:
            for prefix, event, value in ijson.parse(stream):
                if prefix == "resourceType" and event == "string":
                    kind = value
                elif prefix == "type" and event == "string":
                    type_ = value
                elif prefix == "entry.item":
                    break
                if kind and (type_ or kind != "Bundle"):
                    break
        except ijson.JSONError:
            return "", ""
    return kind, type_
