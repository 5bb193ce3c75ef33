"""FHIR XML to the JSON form (https://hl7.org/fhir/R4/xml.html).

No document types, no entities but XML's own five, no network. Values are turned into JSON's
types where their text fits, and left to validation as texts where it does not. Called through
`hub.model.xml`.
"""

from __future__ import annotations

import copy
import re
from decimal import InvalidOperation
from typing import Any, NoReturn

from lxml import etree

from hub.definitions import is_resource_type
from hub.errors import BadRequest, Issue, TooLarge, fault
from hub.model.json import MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT, MAX_VALUES, read_decimal
from hub.model.parser_reasons import xml_reason
from hub.model.xml_shape import FHIR, XHTML, Child, Shape, shape

_MOST_ISSUES = 50
_MOST_ATTRIBUTES = 100
_IN_FHIR = f"{{{FHIR}}}"
_DIV = f"{{{XHTML}}}div"
_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}"
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)").fullmatch
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_NUMBERS = {
    "integer": _INTEGER,
    "unsignedInt": _INTEGER,
    "positiveInt": _INTEGER,
    "decimal": _DECIMAL,
}


def parse(data: bytes) -> dict[str, Any]:
    """Read a resource.

    Args:
        data: UTF-8.

    Returns:
        The resource in its JSON form.

    Raises:
        BadRequest: xml-syntax, xml-encoding, xml-doctype or xml-root; or all of xml-element,
            xml-attribute, xml-text, xml-repeated, xml-contained with their location; or
            xml-depth, xml-attributes, json-number-range.
        TooLarge: xml-too-many-elements.
    """
    if len(data) > MAX_VALUES and data.count(b"<") > MAX_VALUES:
        raise TooLarge(fault("too-costly", "xml-too-many-elements", limit=MAX_VALUES))
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise BadRequest(fault("structure", "xml-doctype"))
    # Parsers are not shared between threads; making one costs 2 us.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        _refuse(data, error)
    reader = _Reader()
    resource = reader.resource(root, 1)
    if reader.issues:
        raise BadRequest(reader.issues)
    return resource


def _refuse(data: bytes, error: etree.XMLSyntaxError) -> NoReturn:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise BadRequest(fault("structure", "xml-encoding")) from None
    line, column = error.position
    reason = xml_reason(str(error.msg))
    raise BadRequest(
        fault("structure", "xml-syntax", reason=reason, line=line, column=column)
    ) from None


class _Reader:
    """Walks the tree once; what does not belong is collected in `issues`."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def resource(self, element: etree._Element, depth: int) -> dict[str, Any]:
        """The resource that an element is."""
        name = str(element.tag).removeprefix(_IN_FHIR)
        if not is_resource_type(name) or element.tag == name:
            raise BadRequest(fault("structure", "xml-root", _location(element), name=name[:64]))
        found: dict[str, Any] = {"resourceType": name}
        return self._complex(element, shape(name), depth, found)

    def _complex(
        self, element: etree._Element, own: Shape, depth: int, found: dict[str, Any]
    ) -> dict[str, Any]:
        """Fill `found` with an element's attributes and children."""
        if depth > MAX_DEPTH:
            raise BadRequest(fault("structure", "xml-depth", limit=MAX_DEPTH))
        for name, value in _attributes(element):
            if name in own.attributes:
                found[str(name)] = value
            else:
                self._stray_attribute(element, str(name))
        self._check_text(element, element.text)
        for child in element:
            self._check_text(element, child.tail)
            if not _is_element(child):
                continue
            tag = str(child.tag)
            row = own.children.get(tag[len(_IN_FHIR) :]) if tag.startswith(_IN_FHIR) else None
            if row is None and tag == _DIV:
                row = own.children.get("div")
            if row is None or (row.kind == "xhtml") is not (tag == _DIV):
                self._issue("xml-element", child, name=_short(tag))
            elif row.kind == "primitive":
                self._primitive(child, row, depth, found)
            else:
                self._add(child, row, self._value(child, row, depth), found)
        return found

    def _value(self, element: etree._Element, row: Child, depth: int) -> Any:
        below = depth + 1 + row.is_list
        if row.kind == "complex":
            return self._complex(element, shape(row.path), below, {})
        if row.kind == "xhtml":
            return _narrative(element)
        inner = [child for child in element if _is_element(child)]
        for name in element.attrib:
            self._stray_attribute(element, str(name))
        if len(inner) != 1:
            self._issue("xml-contained", element, name=row.name, count=len(inner))
            return {}
        return self.resource(inner[0], below)

    def _primitive(
        self, element: etree._Element, row: Child, depth: int, found: dict[str, Any]
    ) -> None:
        """Value, id and extensions of a primitive; the latter two go to `_name`."""
        attributes = element.attrib
        value = attributes.get("value")
        extra: dict[str, Any] | None
        if len(attributes) == (value is not None) and not len(element) and not element.text:
            extra = {} if value is None else None
        else:
            extra = self._primitive_extra(element, depth + 2 + row.is_list)
        self._add(element, row, None if value is None else self._typed(value, row.type), found)
        if row.is_list:
            extras = found.get(f"_{row.name}")
            if extra is not None and extras is None:
                extras = found[f"_{row.name}"] = [None] * (len(found[row.name]) - 1)
            if extras is not None:
                extras.append(extra)
        elif extra is not None:
            found[f"_{row.name}"] = extra
            if value is None:
                found.pop(row.name, None)

    def _primitive_extra(self, element: etree._Element, depth: int) -> dict[str, Any] | None:
        extra: dict[str, Any] = {}
        for name, value in _attributes(element):
            if name == "id":
                extra["id"] = value
            elif name != "value":
                self._stray_attribute(element, str(name))
        self._check_text(element, element.text)
        for child in element:
            self._check_text(element, child.tail)
            if child.tag == f"{_IN_FHIR}extension":
                extensions = extra.setdefault("extension", [])
                extensions.append(self._complex(child, shape("Extension"), depth, {}))
            elif _is_element(child):
                self._issue("xml-element", child, name=_short(str(child.tag)))
        if extra or "value" not in element.attrib:
            return extra
        return None

    def _typed(self, text: str, code: str) -> Any:
        if code == "boolean":
            return {"true": True, "false": False}.get(text, text)
        number = _NUMBERS.get(code)
        if number is None or number(text) is None:
            return text
        try:
            if _INTEGER(text) is None:
                return read_decimal(text)
            if len(text) <= MAX_DIGITS:
                return int(text)
        except InvalidOperation:
            pass
        raise BadRequest(
            fault("value", "json-number-range", digits=MAX_DIGITS, exponent=f"±{MAX_EXPONENT}")
        )

    def _add(self, element: etree._Element, row: Child, value: Any, found: dict[str, Any]) -> None:
        if row.is_list:
            found.setdefault(row.name, []).append(value)
        elif row.name in found or f"_{row.name}" in found:
            self._issue("xml-repeated", element, name=row.name)
        else:
            found[row.name] = value

    def _check_text(self, element: etree._Element, text: str | None) -> None:
        if text is not None and text.strip(" \t\r\n"):
            self._issue("xml-text", element)

    def _stray_attribute(self, element: etree._Element, name: str) -> None:
        if not name.startswith(_SCHEMA):
            self._issue("xml-attribute", element, name=_short(name))

    def _issue(self, message: str, element: etree._Element, **arguments: object) -> None:
        if len(self.issues) < _MOST_ISSUES:
            arguments["line"] = element.sourceline
            self.issues.append(Issue("error", "structure", message, arguments, _location(element)))


def _is_element(node: etree._Element) -> bool:
    """Not a comment, whose tag is a function."""
    return isinstance(node.tag, str)


def _attributes(element: etree._Element) -> list[tuple[Any, Any]]:
    """Names and values; lxml takes quadratic time to list many.

    Raises:
        BadRequest: More than any element of FHIR has.
    """
    if len(element.attrib) > _MOST_ATTRIBUTES:
        raise _crowded(element)
    return element.attrib.items()


def _crowded(element: etree._Element) -> BadRequest:
    line, name = element.sourceline, _short(str(element.tag))
    location = _location(element)
    limit = _MOST_ATTRIBUTES
    return BadRequest(
        fault("structure", "xml-attributes", location, name=name, limit=limit, line=line)
    )


def _narrative(element: etree._Element) -> str:
    """The div as text, without namespaces that its surroundings declared.

    Raises:
        BadRequest: More namespaces than any narrative has: copying takes quadratic time.
    """
    if etree.tostring(element, with_tail=False).count(b"xmlns:") > _MOST_ATTRIBUTES:
        raise _crowded(element)
    alone = copy.deepcopy(element)
    alone.tail = None
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode")


def _short(name: str) -> str:
    return name.rpartition("}")[2][:64]


def _location(element: etree._Element) -> str:
    """FHIRPath of an element, as `Patient.contact[1].name`; resources within do not count."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        above = node.getparent()
        name = _short(str(node.tag))
        if above is None or not name[:1].isupper():
            if above is not None and len(above.findall(node.tag)) > 1:
                index = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
                name = f"{name}[{index}]"
            steps.append(name)
        node = above
    return ".".join(reversed(steps))
