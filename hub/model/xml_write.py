"""The JSON form of a resource to FHIR XML (https://hl7.org/fhir/R4/xml.html).

Elements come in the order of the definitions. Called through `hub.model.xml`.
"""

from __future__ import annotations

import html.entities
import re
from typing import Any

from hub.definitions import is_resource_type
from hub.errors import Unprocessable, fault
from hub.model.xml_shape import FHIR, XHTML, Child, Shape, shape

_SPECIAL = re.compile(r'[&<>"\x00-\x1f\x7f\ufffe\uffff]')
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = ("amp", "lt", "gt", "quot", "apos")
_WRITTEN = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\x7f": "\x7f"}
_WHITESPACE = "\t\n\r"


def serialize(resource: dict[str, Any], *, pretty: bool = False) -> bytes:
    """Write a resource.

    A character that XML 1.0 cannot hold becomes U+FFFD.

    Args:
        resource: In its JSON form.
        pretty: With two spaces of indentation.

    Raises:
        Unprocessable: xml-unwritable: a property is not in the definitions.
    """
    writer = _Writer(pretty)
    writer.resource(resource, 0, f' xmlns="{FHIR}"')
    return "".join(writer.parts).encode()


class _Writer:
    """Collects the parts of the text."""

    def __init__(self, pretty: bool) -> None:
        self.parts: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>']
        self.pretty = pretty

    def _open(self, depth: int) -> None:
        if self.pretty:
            self.parts.append("\n" + "  " * depth)

    def resource(self, resource: dict[str, Any], depth: int, namespace: str = "") -> None:
        name = resource.get("resourceType")
        if not isinstance(name, str) or not is_resource_type(name):
            raise _unwritable("resourceType")
        self._open(depth)
        self.parts.append(f"<{name}{namespace}")
        self._content(resource, shape(name), name, depth, 1)

    def _content(
        self, node: dict[str, Any], own: Shape, tag: str, depth: int, written: int = 0
    ) -> None:
        """Attributes, children and the end tag, after `<tag` was written."""
        for name in own.attributes:
            if name in node:
                self.parts.append(f' {name}="{escape(node[name])}"')
                written += 1
        if len(node) == written:
            self.parts.append("/>")
            return
        self.parts.append(">")
        for name, row in own.children.items():
            value = node.get(name)
            if row.kind == "primitive":
                extra = node.get(f"_{name}")
                written += (name in node) + (f"_{name}" in node)
                if value is not None or extra is not None:
                    self._primitives(value, extra, row, depth + 1)
            elif name in node:
                written += 1
                for item in _items(value, row):
                    self._child(item, row, depth + 1)
        if written < len(node):
            known = {"resourceType", *own.attributes, *own.children}
            known.update(f"_{name}" for name in own.children)
            # All are known: it is a resourceType where no resource is.
            raise _unwritable(next((name for name in node if name not in known), "resourceType"))
        self._open(depth)
        self.parts.append(f"</{tag}>")

    def _child(self, value: Any, row: Child, depth: int) -> None:
        if row.kind == "xhtml":
            self._open(depth)
            self.parts.append(_narrative(value))
            return
        if not isinstance(value, dict):
            raise _unwritable(row.name)
        self._open(depth)
        self.parts.append(f"<{row.name}")
        if row.kind == "complex":
            self._content(value, shape(row.path), row.name, depth)
            return
        self.parts.append(">")
        self.resource(value, depth + 1)
        self._open(depth)
        self.parts.append(f"</{row.name}>")

    def _primitives(self, value: Any, extra: Any, row: Child, depth: int) -> None:
        """One element, or one for each place of two arrays that run side by side."""
        if not row.is_list:
            self._primitive(value, extra, row, depth)
            return
        values, extras = _items(value, row), _items(extra, row)
        for index in range(max(len(values), len(extras))):
            self._primitive(
                values[index] if index < len(values) else None,
                extras[index] if index < len(extras) else None,
                row,
                depth,
            )

    def _primitive(self, value: Any, extra: Any, row: Child, depth: int) -> None:
        if isinstance(value, (dict, list)) or not isinstance(extra, (dict, type(None))):
            raise _unwritable(row.name)
        self._open(depth)
        extra = extra or {}
        identity = f' id="{escape(extra["id"])}"' if "id" in extra else ""
        text = "" if value is None else f' value="{escape(value)}"'
        extensions = extra.get("extension")
        if not extensions:
            self.parts.append(f"<{row.name}{identity}{text}/>")
            return
        self.parts.append(f"<{row.name}{identity}{text}>")
        extension = shape("Element").children["extension"]
        for item in _items(extensions, extension):
            self._child(item, extension, depth + 1)
        self._open(depth)
        self.parts.append(f"</{row.name}>")


def _items(value: Any, row: Child) -> list[Any]:
    if value is None:
        return []
    if row.is_list is not isinstance(value, list):
        raise _unwritable(row.name)
    return value if row.is_list else [value]


def _unwritable(name: str) -> Unprocessable:
    return Unprocessable(fault("structure", "xml-unwritable", name=name[:64]))


def escape(value: Any) -> str:
    """A primitive's value as the content of an attribute in double quotes."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    text = value if isinstance(value, str) else str(value)
    return _SPECIAL.sub(_escaped, text) if _SPECIAL.search(text) else text


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in _WHITESPACE:  # Left as they are, a parser would make spaces of them.
        return f"&#{ord(character)};"
    return _WRITTEN.get(character, "\ufffd")


def _narrative(div: Any) -> str:
    """The div as it is if it is well-formed, else its text within an empty one."""
    from lxml import etree

    if not isinstance(div, str):
        raise _unwritable("div")
    text = _ENTITY.sub(_numeric, div).strip()
    if not text.isascii():
        text = _SPECIAL.sub(lambda found: found[0] if found[0] < "\ufffe" else "\ufffd", text)
    if not text.startswith(("<!", "<?")):
        try:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            tag = etree.fromstring(text, parser).tag
        except (etree.XMLSyntaxError, ValueError):
            tag = None
        if tag == f"{{{XHTML}}}div":
            return text
        if tag == "div":
            return text.replace("<div", f'<div xmlns="{XHTML}"', 1)
    return f'<div xmlns="{XHTML}">{escape(div)}</div>'


def _numeric(found: re.Match[str]) -> str:
    """HTML's entities, which XML does not know, by number."""
    name = found[1]
    if name in _XML_ENTITIES or name not in html.entities.name2codepoint:
        return found[0]
    return f"&#{html.entities.name2codepoint[name]};"
