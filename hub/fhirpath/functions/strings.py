"""String functions.

http://hl7.org/fhirpath/N1/#string-manipulation, and those of the current build that R4's own
suite uses: trim, split, join, encode, decode, escape, unescape, matchesFull, lastIndexOf.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from typing import Any

from hub.fhirpath.arithmetic import MAX_TEXT
from hub.fhirpath.code import EMPTY, Code, Run, computed, values
from hub.fhirpath.errors import FHIRPathEvaluationError, FHIRPathLimitError
from hub.fhirpath.paths import is_open
from hub.fhirpath.regexes import CostlyPattern, Pattern, weighed
from hub.fhirpath.site import Function, Site
from hub.fhirpath.values import system_type

STRING, INTEGER, BOOLEAN = "System.String", "System.Integer", "System.Boolean"


def _input(site: Site) -> Run:
    """Run to the string the function is called on, or None.

    Raises:
        FHIRPathSemanticError: It can never be a string.
    """
    types = site.source.types
    if types and all(_never_text(own) for own in types):
        raise site.misuse(
            "fhirpath-wrong-input", name=site.label, expected="a string", found=types[0]
        )
    return site.input(str, "a string")


def _never_text(type_name: str) -> bool:
    return not is_open(type_name) and system_type(type_name) != STRING


Operation = Callable[..., Any]


def _text_function(operation: Operation, result: str, kinds: str = "") -> Callable[[Site], Code]:
    """The builder of a function from one string to one value, refused when that is too long.

    Args:
        operation: Takes the string and the arguments that were given.
        result: System type of its result.
        kinds: One letter per argument: `t` a string, `i` an integer.
    """

    def build(site: Site) -> Code:
        if site.source.empty:
            return EMPTY
        source = _input(site)
        takers = [
            site.text(index) if kinds[index] == "t" else site.integer(index)
            for index in range(len(site.arguments))
        ]
        if not takers:

            def plain(node: Any, context: Any) -> Any:
                text = source(node, context)
                return None if text is None else operation(text)

            return computed(_limited(plain) if result == STRING else plain, result)

        def run(node: Any, context: Any) -> Any:
            text = source(node, context)
            if text is None:
                return None
            arguments = [take(node, context) for take in takers]
            return None if None in arguments else operation(text, *arguments)

        return computed(_limited(run) if result == STRING else run, result)

    return build


def _limited(run: Run) -> Run:
    def short(node: Any, context: Any) -> Any:
        text = run(node, context)
        if text is not None:
            _fits(len(text))
        return text

    return short


def _substring(text: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(0, length)]


def _replace(text: str, old: str, new: str) -> str:
    _fits(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new)


def _fits(length: int) -> None:
    if length > MAX_TEXT:
        raise FHIRPathLimitError("fhirpath-limit-text", limit=MAX_TEXT)


def _characters(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source = _input(site)
    return Code(
        site.holding(lambda node, context: tuple(source(node, context) or ())), False, (STRING,)
    )


def _split(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source, separator = _input(site), site.text(0)

    def run(node: Any, context: Any) -> Any:
        text, mark = source(node, context), separator(node, context)
        if text is None or mark is None:
            return ()
        return text.split(mark) if mark else list(text)

    return Code(site.holding(run), False, (STRING,))


def _join(site: Site) -> Code:
    source = values(site.source)
    separator = site.text(0) if site.arguments else None

    def run(node: Any, context: Any) -> Any:
        texts = source(node, context)
        mark = separator(node, context) if separator is not None else ""
        if mark is None or not texts:
            return None
        for text in texts:
            if text.__class__ is not str:
                raise site.wrong_input("strings", text)
        _fits(sum(map(len, texts)) + len(mark) * len(texts))
        return mark.join(texts)

    return computed(run, STRING)


# --- regular expressions ---------------------------------------------------------------------


def _pattern(site: Site, text: str, flags: str = "") -> Pattern:
    try:
        return weighed(text, flags)
    except ValueError:
        raise FHIRPathEvaluationError("fhirpath-bad-regex", site.position, name=site.name) from None


def _costly(site: Site) -> FHIRPathLimitError:
    return FHIRPathLimitError("fhirpath-regex-cost", site.position, name=site.name)


def _matching(full: bool) -> Callable[[Site], Code]:
    def build(site: Site) -> Code:
        if site.source.empty:
            return EMPTY
        source, regex = _input(site), site.text(0)
        flags = site.text(1) if len(site.arguments) > 1 else None

        def run(node: Any, context: Any) -> Any:
            text, pattern = source(node, context), regex(node, context)
            if text is None or pattern is None:
                return None
            options = flags(node, context) or "" if flags is not None else ""
            try:
                return _pattern(site, pattern, options).matches(text, full)
            except CostlyPattern:
                raise _costly(site) from None

        return computed(run, BOOLEAN)

    return build


def _replace_matches(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source, regex, replacement = _input(site), site.text(0), site.text(1)

    def run(node: Any, context: Any) -> Any:
        text, pattern = source(node, context), regex(node, context)
        new = replacement(node, context)
        if text is None or pattern is None or new is None:
            return None
        try:
            return _pattern(site, pattern).replace(text, new, MAX_TEXT)
        except CostlyPattern:
            raise _costly(site) from None
        except ValueError:
            raise FHIRPathEvaluationError(
                "fhirpath-bad-regex", site.position, name=site.name
            ) from None

    return computed(run, STRING)


# --- encodings -------------------------------------------------------------------------------


def _encode(text: str, scheme: str) -> str | None:
    data = text.encode()
    if scheme == "hex":
        return data.hex()
    if scheme == "base64":
        return base64.b64encode(data).decode()
    return base64.urlsafe_b64encode(data).decode() if scheme == "urlbase64" else None


def _decode(text: str, scheme: str) -> str | None:
    try:
        if scheme == "hex":
            return bytes.fromhex(text).decode()
        if scheme == "base64":
            return base64.b64decode(text, validate=True).decode()
        if scheme == "urlbase64":
            return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return None


def _escape(text: str, target: str) -> str | None:
    if target == "html":
        return html.escape(text)
    return json.dumps(text, ensure_ascii=False)[1:-1] if target == "json" else None


_JSON_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_JSON_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescape(text: str, target: str) -> str | None:
    if target == "html":
        return html.unescape(text)
    if target != "json":
        return None
    plain = _JSON_ESCAPE.sub(
        lambda match: (
            chr(int(match[1][1:], 16))
            if len(match[1]) == 5
            else _JSON_ESCAPES.get(match[1], match[1])
        ),
        text,
    )
    try:
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


FUNCTIONS = {
    "indexOf": Function(_text_function(str.find, INTEGER, "t"), 1, 1),
    "lastIndexOf": Function(_text_function(str.rfind, INTEGER, "t"), 1, 1),
    "substring": Function(_text_function(_substring, STRING, "ii"), 1, 2),
    "startsWith": Function(_text_function(str.startswith, BOOLEAN, "t"), 1, 1),
    "endsWith": Function(_text_function(str.endswith, BOOLEAN, "t"), 1, 1),
    "contains": Function(_text_function(str.__contains__, BOOLEAN, "t"), 1, 1),
    "upper": Function(_text_function(str.upper, STRING)),
    "lower": Function(_text_function(str.lower, STRING)),
    "replace": Function(_text_function(_replace, STRING, "tt"), 2, 2),
    "matches": Function(_matching(full=False), 1, 2),
    "matchesFull": Function(_matching(full=True), 1, 2),
    "replaceMatches": Function(_replace_matches, 2, 2),
    "length": Function(_text_function(len, INTEGER)),
    "toChars": Function(_characters),
    "trim": Function(_text_function(str.strip, STRING)),
    "split": Function(_split, 1, 1, loops=True),
    "join": Function(_join, 0, 1),
    "encode": Function(_text_function(_encode, STRING, "t"), 1, 1),
    "decode": Function(_text_function(_decode, STRING, "t"), 1, 1),
    "escape": Function(_text_function(_escape, STRING, "t"), 1, 1),
    "unescape": Function(_text_function(_unescape, STRING, "t"), 1, 1),
}
