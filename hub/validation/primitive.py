"""Values of the primitive types (https://hl7.org/fhir/R4/datatypes.html#primitive).

`problem` says what is wrong with a value; `FAST` holds, per type, a Python expression over `v`
that is true only for values that are surely right (whatever it raises or refuses is decided by
`problem`). A test proves the two agree. Called by `hub.validation.source` and `.structure`.
"""

from __future__ import annotations

import binascii
import calendar
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

MAX_TEXT = 1024 * 1024
MAX_NUMBER = 10**100
MAX_DIGITS = 100
MAX_EXPONENT = 400


class Problem(NamedTuple):
    """Why a value is refused: IssueType code, message id and its arguments."""

    code: str
    message: str
    arguments: dict[str, object]


# Days that every month has, and those that some have; 29 February is looked up.
_DAY = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    r"|(?:0[13578]|1[02])-31)"
)
_YEAR = r"(?!0000)[0-9]{4}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_MONTH = r"(?:0[1-9]|1[0-2])"

TEXT = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f]+").fullmatch
URI = re.compile(r"[^ \t\r\n\x00-\x1f]+").fullmatch
CODE = re.compile(r"[^ \t\r\n\x00-\x1f]+(?: [^ \t\r\n\x00-\x1f]+)*").fullmatch
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+").fullmatch
UUID = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
DATE = re.compile(rf"{_YEAR}-{_DAY}|{_YEAR}(?:-{_MONTH})?").fullmatch
DATE_TIME = re.compile(rf"{_YEAR}-{_DAY}(?:T{_CLOCK}{_OFFSET})?|{_YEAR}(?:-{_MONTH})?").fullmatch
INSTANT = re.compile(rf"{_YEAR}-{_DAY}T{_CLOCK}{_OFFSET}").fullmatch
TIME = re.compile(_CLOCK).fullmatch
_SHAPES = {
    "date": re.compile(rf"{_YEAR}(?:-{_MONTH}(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?").fullmatch,
    "dateTime": re.compile(
        rf"{_YEAR}(?:-{_MONTH}(?:-(?:0[1-9]|[12][0-9]|3[01])(?:T{_CLOCK}{_OFFSET})?)?)?"
    ).fullmatch,
    "instant": re.compile(
        rf"{_YEAR}-{_MONTH}-(?:0[1-9]|[12][0-9]|3[01])T{_CLOCK}{_OFFSET}"
    ).fullmatch,
}
_SPACES = " \t\r\n"
_NO_SPACES = str.maketrans("", "", _SPACES)
_INTEGERS = {
    "integer": (-(2**31), 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
}
_PATTERNS = {
    "uri": URI, "url": URI, "canonical": URI, "code": CODE, "id": ID, "oid": OID, "uuid": UUID,
    "time": TIME,
}  # fmt: skip


def is_text(value: object) -> bool:
    """Whether a string may stand in `string` or `markdown`."""
    return (
        isinstance(value, str)
        and TEXT(value) is not None
        and not value.isspace()
        and len(value) <= MAX_TEXT
    )


def is_decimal(value: Decimal) -> bool:
    """Whether a Decimal is finite and its digits and exponent are sane."""
    return (
        value.is_finite()
        and -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT
        and len(str(value)) <= MAX_DIGITS
    )


def is_base64(value: str) -> bool:
    """Whether a string is base64 with its padding; whitespace between is allowed."""
    if any(space in value for space in _SPACES):
        value = value.translate(_NO_SPACES)
    # Strict mode lets a superfluous `=` at the end pass: the length tells.
    if not value or len(value) % 4:
        return False
    try:
        return binascii.a2b_base64(value, strict_mode=True) is not None
    except ValueError:
        return False


def is_day(value: str) -> bool:
    """Whether the day of a well-formed date exists: 2026-02-30 does not."""
    if len(value) < 10:
        return True
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
    return day <= calendar.monthrange(year, month)[1]


_NON_EMPTY_PRINTABLE = "v and v.isprintable()"
_INTEGER = "type(v) is int and {} <= v <= {}"

# `isprintable` is a quick no to control characters; what it refuses (line breaks, ideographic
# spaces, new scripts) is looked at properly, as are leap days.
FAST: Mapping[str, str] = {
    "boolean": "v is True or v is False",
    "integer": _INTEGER.format(*_INTEGERS["integer"]),
    "positiveInt": _INTEGER.format(*_INTEGERS["positiveInt"]),
    "unsignedInt": _INTEGER.format(*_INTEGERS["unsignedInt"]),
    "decimal": "type(v) is Decimal and is_decimal(v) or type(v) is int and -1e15 < v < 1e15"
    ' or is_right("decimal", v)',
    "string": f'{_NON_EMPTY_PRINTABLE} and v[0] != " " and len(v) <= {MAX_TEXT} or is_text(v)',
    "markdown": f'{_NON_EMPTY_PRINTABLE} and v[0] != " " and len(v) <= {MAX_TEXT} or is_text(v)',
    "uri": f'{_NON_EMPTY_PRINTABLE} and " " not in v or URI(v)',
    "url": f'{_NON_EMPTY_PRINTABLE} and " " not in v or URI(v)',
    "canonical": f'{_NON_EMPTY_PRINTABLE} and " " not in v or URI(v)',
    "code": f'{_NON_EMPTY_PRINTABLE} and " " not in v or CODE(v)',
    "id": "ID(v)",
    "oid": "OID(v)",
    "uuid": "UUID(v)",
    "date": 'DATE(v) or is_right("date", v)',
    "dateTime": 'DATE_TIME(v) or is_right("dateTime", v)',
    "instant": 'INSTANT(v) or is_right("instant", v)',
    "time": "TIME(v)",
    "base64Binary": "is_base64(v)",
    "xhtml": "is_safe(v)",
}


def is_right(type_name: str, value: object) -> bool:
    """Whether nothing is wrong with the value of a primitive."""
    return problem(type_name, value) is None


# Names that the expressions of FAST use.
FAST_NAMES: Mapping[str, Any] = {
    "Decimal": Decimal, "is_right": is_right, "is_decimal": is_decimal, "is_text": is_text,
    "is_base64": is_base64,
    "URI": URI, "CODE": CODE, "ID": ID, "OID": OID, "UUID": UUID, "DATE": DATE,
    "DATE_TIME": DATE_TIME, "INSTANT": INSTANT, "TIME": TIME,
}  # fmt: skip


def problem(type_name: str, value: object) -> Problem | None:
    """What is wrong with the value of a primitive, without the invariants of its element.

    Args:
        type_name: As `dateTime`. `xhtml` is only checked to be a string here.
        value: The JSON value.

    Returns:
        None when nothing is.
    """
    return _CHECKS.get(type_name, _string_problem)(type_name, value)


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    for python_type, name in _JSON_NAMES.items():
        if isinstance(value, python_type):
            return name
    return "null" if value is None else type(value).__name__


_JSON_NAMES: Mapping[type, str] = {
    str: "string", int: "number", Decimal: "number", float: "float", dict: "object", list: "array",
}  # fmt: skip


def _wrong_type(type_name: str, expected: str, value: object) -> Problem:
    found = _json_type(value)
    return Problem(
        "structure",
        "validation-json-type",
        {"type": type_name, "expected": expected, "found": found},
    )


def _format(type_name: str) -> Problem:
    return Problem("value", f"validation-format-{type_name}", {})


def _boolean_problem(type_name: str, value: object) -> Problem | None:
    return None if isinstance(value, bool) else _wrong_type(type_name, "boolean", value)


def _integer_problem(type_name: str, value: object) -> Problem | None:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, Decimal):
            return Problem("value", "validation-not-whole", {"type": type_name})
        return _wrong_type(type_name, "number", value)
    low, high = _INTEGERS[type_name]
    if low <= value <= high:
        return None
    return Problem(
        "value", "validation-integer-range", {"type": type_name, "low": low, "high": high}
    )


def _decimal_problem(type_name: str, value: object) -> Problem | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return _wrong_type(type_name, "number", value)
    sane = is_decimal(value) if isinstance(value, Decimal) else -MAX_NUMBER < value < MAX_NUMBER
    if sane:
        return None
    return Problem(
        "value", "validation-decimal-size", {"digits": MAX_DIGITS, "exponent": MAX_EXPONENT}
    )


def _string_problem(type_name: str, value: object) -> Problem | None:
    if not isinstance(value, str):
        return _wrong_type(type_name, "string", value)
    if not value:
        return Problem("structure", "validation-empty-string", {})
    if type_name == "xhtml":
        return None
    if type_name in ("string", "markdown"):
        return _text_problem(value)
    return _pattern_problem(type_name, value)


def _text_problem(value: str) -> Problem | None:
    if value.isspace():
        return Problem("value", "validation-only-whitespace", {})
    if len(value) > MAX_TEXT:
        return Problem("too-long", "validation-too-long", {"limit": MAX_TEXT})
    if TEXT(value) is None:
        return Problem("value", "validation-control-character", {})
    return None


def _pattern_problem(type_name: str, value: str) -> Problem | None:
    shape = _SHAPES.get(type_name)
    if shape is not None:
        if shape(value) is None:
            return _format(type_name)
        return None if is_day(value) else Problem("value", "validation-no-such-day", {})
    if type_name == "base64Binary":
        return None if is_base64(value) else _format(type_name)
    return None if _PATTERNS[type_name](value) else _format(type_name)


_CHECKS: Mapping[str, Callable[[str, object], Problem | None]] = {
    "boolean": _boolean_problem,
    "integer": _integer_problem,
    "positiveInt": _integer_problem,
    "unsignedInt": _integer_problem,
    "decimal": _decimal_problem,
}
