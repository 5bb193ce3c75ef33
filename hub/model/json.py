"""FHIR JSON in and out, lossless and guarded (https://hl7.org/fhir/R4/json.html).

A number with a fraction or an exponent becomes a Decimal that keeps its digits (1.00 stays
1.00), any other an int. What msgspec lets pass is refused here: duplicate keys, deep nesting,
NUL, numbers that would exhaust arithmetic. Called by REST, the loaders and the stores.
"""

from __future__ import annotations

import json
import re
from array import array
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NoReturn

import msgspec

from hub.definitions import is_resource_type
from hub.errors import BadRequest, Issue, TooLarge, fault
from hub.messages import Phrase
from hub.model.element_names import element_name
from hub.model.parser_reasons import json_reason

Resource = dict[str, Any]

MAX_DEPTH = 100
MAX_DIGITS = 100
MAX_EXPONENT = 400
MAX_VALUES = 4_000_000
"""Values of one text. Real resources have one in 27 bytes; `[],[],...` takes thirty times its
size in memory."""

MOST_LOCATED = 1024 * 1024
"""Bytes of a text in which a repeated key is located: that takes a second tree."""

BOM = b"\xef\xbb\xbf"
_OTHERS = bytes(set(range(256)) - set(b'{}[]"'))
_UNOPENING = bytes(set(range(256)) - set(b"{["))
_UNMARKED = bytes(set(range(256)) - set(b'{[,"'))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_ROUNDS = 16
_HALF = re.compile(rb"(?<!\\)(?:\\\\)*(?P<half>\\u[dD][89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F])")
_LONGEST_PATH = 1000
_HALF_REASON = "invalid utf-16 surrogate pair"


def read_decimal(text: str) -> Decimal:
    """A Decimal that keeps its digits; called for each number that is not an integer.

    Args:
        text: A JSON number with a fraction or an exponent.

    Raises:
        InvalidOperation: It has more than 100 digits or an exponent beyond 400.
    """
    value = Decimal(text)
    if len(text) > MAX_DIGITS or not -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise InvalidOperation
    return value


_decode = msgspec.json.Decoder(float_hook=read_decimal).decode
_load = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def decode(data: bytes, *, max_depth: int = MAX_DEPTH) -> Resource:
    """Read JSON from outside.

    Args:
        data: UTF-8, with or without byte order mark. An integer may have 4,300 digits, as many
            as Python reads; validation bounds it by its element's type.
        max_depth: Most levels of nested objects and arrays.

    Raises:
        BadRequest: json-syntax, json-truncated, json-encoding, json-duplicate-key, json-depth,
            json-number-range, json-control-character or not-an-object.
        TooLarge: json-too-many-values.
    """
    if data.startswith(BOM):
        data = data[len(BOM) :]
    if len(data) > MAX_VALUES and _values(data) > MAX_VALUES:
        raise TooLarge(fault("too-costly", "json-too-many-values", limit=MAX_VALUES))
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation, RecursionError) as error:
        _refuse(data, error, max_depth)
    if type(value) is not dict:
        raise BadRequest(fault("structure", "not-an-object"))
    # Looking for one byte is far cheaper than for six.
    if b"\\" in data and b"\\u0000" in data and b"\\u0000" in data.replace(b"\\\\", b""):
        raise BadRequest(fault("value", "json-control-character"))
    # A repeated key loses its first value, so the object written again has fewer quotation
    # marks; other ways to write a text can only add to the difference. The exact pass tells.
    again = _encode(value)
    if _quotes(data) != _quotes(again):
        _refuse_repeated_keys(data)
    if len(again.translate(None, _UNOPENING)) > max_depth and _depth(_skeleton(again)) > max_depth:
        raise BadRequest(fault("structure", "json-depth", limit=max_depth))
    return value


def load(data: bytes) -> Resource:
    """Read JSON that this module wrote, without the guards of `decode`.

    Args:
        data: As `encode` made it.

    Raises:
        msgspec.DecodeError: The stored bytes are damaged.
    """
    return _load(data)


def encode(resource: object) -> bytes:
    """Write compact JSON: key order kept, a Decimal as a number with its digits.

    Args:
        resource: A dict, or anything JSON can hold.
    """
    return _encode(resource)


def encode_pretty(resource: Resource | bytes) -> bytes:
    """Write JSON with two spaces of indentation.

    Args:
        resource: A dict, or JSON already written.
    """
    data = resource if isinstance(resource, bytes) else _encode(resource)
    return msgspec.json.format(data, indent=2)


def _quotes(data: bytes) -> int:
    r"""Quotation marks but those behind a backslash.

    Written again, `\"` stays and `\u0022` becomes it: neither counts. `\u005c"` becomes `\\"`
    and counts no more. So the number can become less, never greater.
    """
    escaped = data.count(b'\\"') if b"\\" in data else 0
    return data.count(b'"') - escaped


def _skeleton(data: bytes) -> bytes:
    """The quotation marks and brackets of well-formed JSON, braces as brackets."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return data.translate(_ONE_KIND, _OTHERS)


def _values(data: bytes) -> int:
    """At least as many as there are values; commas in texts count only when it matters."""
    found = sum(map(data.count, b",[{"))
    if found <= MAX_VALUES:
        return found
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(None, _UNMARKED).replace(b'""', b"")
    # Half of the texts are names at most. So many need not be taken out to know enough.
    texts = marks.count(b'"') // 2
    if texts > 2 * MAX_VALUES:
        return texts // 2
    return sum(map(_STRING.sub(b"", marks).count, b",[{"))


def _depth(skeleton: bytes) -> int:
    """Levels of nesting: the innermost pairs are taken away in turn, then steps are summed up."""
    brackets = skeleton.replace(b'""', b"")
    if b'"' in brackets:  # A string holds a bracket: look between the strings only.
        brackets = _STRING.sub(b"", brackets)
    for depth in range(_ROUNDS):
        if not brackets:
            return depth
        brackets = brackets.replace(b"[]", b"")
    return _ROUNDS + max(accumulate(array("b", brackets.translate(_STEPS))), default=0)


class _Repeated(dict[str, Any]):
    """An object that has a key twice."""


def _refuse_repeated_keys(data: bytes) -> None:
    """Name the first key that an object has twice; its length is cut for the message."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                place = _first_repeated(data) if len(data) <= MOST_LOCATED else ""
                raise BadRequest(fault("structure", "json-duplicate-key", place, key=key[:64]))
            seen.add(key)

    json.loads(data, object_pairs_hook=check)


def _first_repeated(data: bytes) -> str:
    """FHIRPath of the first object to end that has a key twice: the one that `check` meets."""
    met: list[_Repeated] = []

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if met or len(found) == len(pairs):
            return found
        met.append(_Repeated(found))
        return met[0]

    # A path is put together for the one that is found: all together would be long.
    waiting: list[tuple[_Step | None, str, Any]] = [
        (None, "", json.loads(data, object_pairs_hook=read))
    ]
    while waiting:
        step, type, node = waiting.pop()
        if isinstance(node, dict):
            named = node.get("resourceType")
            if isinstance(named, str) and is_resource_type(named):
                step, type = step or (None, named), named
            if isinstance(node, _Repeated):
                return _path(step)
            for key, item in node.items():
                waiting.append(((step, f".{element_name(type, key)[:64]}"), type, item))
        elif isinstance(node, list):
            for index, item in enumerate(node):
                waiting.append(((step, f"[{index}]"), type, item))
    return ""


_Step = tuple[Any, str]  # The step above, and what is added to its path.


def _path(step: _Step | None) -> str:
    steps: list[str] = []
    while step is not None:
        step, own = step
        steps.append(own)
    path = "".join(reversed(steps))
    return path if len(path) <= _LONGEST_PATH else ""


def _refuse(data: bytes, error: Exception, max_depth: int) -> NoReturn:
    """Turn what the decoder says into an issue."""
    if isinstance(error, RecursionError):
        issue = fault("structure", "json-depth", limit=max_depth)
    elif isinstance(error, (InvalidOperation, msgspec.ValidationError)):
        issue = fault("value", "json-number-range", digits=MAX_DIGITS, exponent=f"±{MAX_EXPONENT}")
    elif isinstance(error, UnicodeDecodeError) or _is_utf16(data):
        issue = fault("structure", "json-encoding")
    else:
        text, _, place = str(error).removeprefix("JSON is malformed: ").partition(" (byte ")
        # To msgspec a half that is followed by something else is the end of the input.
        half = None if place else _HALF.search(data)
        if place:
            issue = _syntax(data, int(place.rstrip(")")), json_reason(text))
        elif half is not None:
            issue = _syntax(data, half.start("half"), json_reason(_HALF_REASON))
        else:
            issue = fault("structure", "json-truncated")
    raise BadRequest(issue) from None


def _syntax(data: bytes, place: int, reason: Phrase) -> Issue:
    before = data[:place]
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    line = before.count(b"\n") + 1
    return fault("structure", "json-syntax", reason=reason, line=line, column=column)


def _is_utf16(data: bytes) -> bool:
    """Whether text is in two bytes a character: by its mark, or as JSON starts with ASCII."""
    return data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:2]
