"""Narrative XHTML: txt-1 and txt-2 (https://hl7.org/fhir/R4/narrative.html#Narrative).

Allowed are the formatting elements and attributes of HTML 4.0 chapters 7 to 11 (without 9.4) and
15, links, images and inline styles. Nothing active gets through, neither to a reader that parses
XML nor to one that hands the text to a browser as HTML. Called by both passes.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, NoReturn
from xml.parsers import expat

from hub.validation.primitive import Problem

XHTML = "http://www.w3.org/1999/xhtml"
MAX_DEPTH = 200

_ELEMENTS = frozenset(
    ["a", "abbr", "acronym", "address", "area", "b", "bdo", "big", "blockquote", "br",
     "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "h1",
     "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "map", "ol", "p", "pre", "q",
     "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
     "thead", "tr", "tt", "ul", "var"]
)  # fmt: skip
# Deprecated ones among them are not active, and met in real narratives.
_EVERYWHERE = frozenset(
    ["title", "style", "class", "id", "lang", "xml:lang", "dir", "accesskey", "tabindex",
     "align", "valign", "char", "charoff", "width", "height", "xml:space"]
)  # fmt: skip
_ATTRIBUTES = {
    "a": ["href", "name", "charset", "type", "hreflang", "rel", "rev", "shape", "coords", "target"],
    "area": ["href", "nohref", "shape", "coords", "alt"],
    "bdo": [],
    "blockquote": ["cite"],
    "br": ["clear"],
    "col": ["span"],
    "colgroup": ["span"],
    "hr": ["size", "noshade"],
    "img": ["src", "alt", "longdesc", "usemap", "ismap", "border", "name", "hspace", "vspace"],
    "li": ["type", "value"],
    "map": ["name"],
    "ol": ["type", "start", "compact"],
    "q": ["cite"],
    "table": ["summary", "border", "frame", "rules", "cellspacing", "cellpadding", "bgcolor"],
    "td": ["abbr", "axis", "headers", "scope", "rowspan", "colspan", "nowrap", "bgcolor"],
    "th": ["abbr", "axis", "headers", "scope", "rowspan", "colspan", "nowrap", "bgcolor"],
    "tr": ["bgcolor"],
    "ul": ["type", "compact"],
}
_ALLOWED = {name: _EVERYWHERE | frozenset(_ATTRIBUTES.get(name, ())) for name in _ELEMENTS}
_ADDRESSES = frozenset(["href", "src", "cite", "longdesc", "usemap"])
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):").match
_SCHEMES = frozenset(["http", "https", "mailto", "tel", "urn", "ftp", "cid"])
_IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp|bmp)[;,]").match
_IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
# What runs or loads from a style; a backslash or a comment can hide all of them.
_STYLE = re.compile(r"expression\s*\(|@import|-moz-binding|behaviou?r\s*:|\\|<|/\*", re.IGNORECASE)
_STYLE_ADDRESS = re.compile(r"url\s*\(\s*[\"']?([^)\"']*)", re.IGNORECASE)


class _UnsafeError(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def is_safe(div: str) -> bool:
    """Whether a narrative is well-formed, allowed and not empty.

    Args:
        div: Narrative.div.
    """
    return narrative_problem(div) is None


def narrative_problem(div: str) -> Problem | None:
    """The first thing that is wrong with a narrative.

    Args:
        div: Narrative.div: one XHTML div element.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(div, True)
    except _UnsafeError as unsafe:
        return unsafe.problem
    except UnicodeEncodeError:  # Half of a surrogate pair.
        return Problem("value", "validation-control-character", {})
    except expat.ExpatError as error:
        return Problem(
            "structure",
            "validation-narrative-syntax",
            {"line": error.lineno, "column": error.offset + 1},
        )
    finally:
        # Parser and reader refer to each other: without this, 10 KB a narrative would stay
        # until the collector comes by.
        del reader.parser
    if not reader.has_content:
        return Problem("invariant", "validation-narrative-empty", {"key": "txt-2"})
    return None


class _Reader:
    """Handlers of one parse; each raises at the first forbidden thing."""

    def __init__(self) -> None:
        self.has_content = False
        self._depth = 0

    @cached_property
    def parser(self) -> Any:
        """An expat parser that neither knows nor loads entities."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = self._comment
        parser.StartDoctypeDeclHandler = self._refuse_declaration
        parser.XmlDeclHandler = self._refuse_declaration
        parser.ProcessingInstructionHandler = self._refuse_declaration
        parser.StartCdataSectionHandler = self._refuse_cdata
        return parser

    def _start(self, name: str, attributes: list[str]) -> None:
        if self._depth == 0:
            if name != "div":
                _refuse("validation-narrative-root")
            if "xmlns" not in attributes[::2]:
                _refuse("validation-narrative-namespace", namespace=XHTML)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse("validation-narrative-depth", limit=MAX_DEPTH)
        allowed = _ALLOWED.get(name)
        if allowed is None:
            _refuse("validation-narrative-element", name=name[:32])
        if name == "img":
            self.has_content = True
        pairs = iter(attributes)
        for attribute, value in zip(pairs, pairs, strict=True):
            if attribute in allowed:
                _check_value(attribute, value)
            elif attribute == "xmlns":
                if value != XHTML:
                    _refuse("validation-narrative-namespace", namespace=XHTML)
            elif not attribute.startswith("xmlns:"):
                _refuse("validation-narrative-attribute", name=attribute[:32], element=name)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _text(self, text: str) -> None:
        if not self.has_content and not text.isspace():
            self.has_content = True

    def _comment(self, text: str) -> None:
        # HTML ends a comment at `-->`, but also at `<!-->`: what follows would be live there.
        if text.startswith((">", "->")) or "--!" in text:
            _refuse("validation-narrative-comment")

    def _refuse_declaration(self, *_declaration: object) -> None:
        _refuse("validation-narrative-doctype")

    def _refuse_cdata(self) -> None:
        # A browser's HTML parser sees a comment that ends at the first `>`.
        _refuse("validation-narrative-cdata")


def _check_value(attribute: str, value: str) -> None:
    if attribute == "style" and not _is_style(value):
        _refuse("validation-narrative-style")
    if attribute in _ADDRESSES and not _is_address(attribute, value):
        _refuse("validation-narrative-address", name=attribute)


def _is_style(value: str) -> bool:
    """Runs nothing, and loads no more than an image may."""
    if _STYLE.search(value):
        return False
    return all(_is_address("src", found[1]) for found in _STYLE_ADDRESS.finditer(value))


def _is_address(attribute: str, value: str) -> bool:
    """Relative, or of a scheme that runs nothing; browsers skip spaces and controls in it."""
    address = _IGNORED.sub("", value).lower()
    scheme = _SCHEME(address)
    if scheme is None or scheme[1] in _SCHEMES:
        return True
    return attribute == "src" and _IMAGE(address) is not None


def _refuse(message: str, **arguments: object) -> NoReturn:
    raise _UnsafeError(Problem("invariant", message, {"key": "txt-1", **arguments}))
