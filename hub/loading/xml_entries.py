"""Takes the entries out of an XML Bundle of any size, one by one.

Each comes as a small Bundle of its own, for `hub.model.xml` to read with all its guards. No
document types, no entities, no network. Called by `sources`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from lxml import etree

from hub.errors import BadRequest, fault
from hub.loading.item import START, Mark
from hub.loading.splitting import Head, Piece
from hub.model.xml_shape import FHIR

_IN_FHIR = f"{{{FHIR}}}"
_WRAPPED = b'<Bundle xmlns="http://hl7.org/fhir">%b</Bundle>'


def _children(stream: IO[bytes], limit: int) -> Iterator[etree._Element]:
    """The children of the root, each complete, let go of when the next is asked for.

    Raises:
        BadRequest: It is no well-formed XML, has a document type, or a child is too large.
    """
    depth, begun = 0, 0
    try:
        for event, element in etree.iterparse(
            stream,
            events=("start", "end"),
            remove_comments=True,
            remove_pis=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        ):
            if event == "start":
                if depth == 0 and element.getroottree().docinfo.doctype:
                    raise BadRequest(fault("structure", "xml-doctype"))
                depth += 1
                continue
            depth -= 1
            if depth == 1:
                yield element
                above = element.getparent()
                assert above is not None
                above.remove(element)
                begun = stream.tell()
            elif stream.tell() - begun > limit:
                raise BadRequest(fault("too-long", "load-item-too-large", limit=limit))
    except etree.XMLSyntaxError as error:
        line = error.position[0]
        raise BadRequest(fault("structure", "load-xml-broken", line=line)) from None


def head(stream: IO[bytes], limit: int) -> Head:
    """Read as far as the first entry.

    Args:
        stream: At its start.
        limit: Most bytes of a child of the root.

    Raises:
        BadRequest: See `_children`.
    """
    kind = type_ = ""
    stored = links = False
    for child in _children(stream, limit):
        above = child.getparent()
        assert above is not None
        kind = str(above.tag).removeprefix(_IN_FHIR)
        name = str(child.tag).removeprefix(_IN_FHIR)
        if name == "type":
            type_ = str(child.get("value", ""))
        elif name == "meta":
            stored = child.find(f"{_IN_FHIR}versionId") is not None
        elif name == "entry":
            url = child.find(f"{_IN_FHIR}fullUrl")
            links = url is not None and str(url.get("value", "")).startswith("urn:")
        if name == "entry" or kind != "Bundle":
            break
    return Head(kind, type_, stored, links)


def entries(stream: IO[bytes], limit: int, mark: Mark = START) -> Iterator[Piece]:
    """The entries of a Bundle, each as a Bundle of one entry.

    Args:
        stream: At its start.
        limit: Most bytes of an entry.
        mark: Entries before it are passed over.

    Raises:
        BadRequest: See `_children`.
    """
    number = 0
    for child in _children(stream, limit):
        if child.tag == f"{_IN_FHIR}entry":
            number += 1
            if number > mark.number:
                child.tail = None
                yield Piece(_WRAPPED % etree.tostring(child), Mark(0, number))
