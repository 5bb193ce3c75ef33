"""Text of a field or component to a FHIR primitive.

Every kind is one function of `KINDS`; a map names it by the element's type or by `as KIND`. What
cannot be read is `Unusable`: the element is left out and a remark names the place. Called by
`adapters.hl7v2.mapping.conversions`. HL7 v2.9 chapter 2A (DTM, DT, TM, NM, ID); R4 datatypes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hub.model import ucum

Kind = Callable[[str, str], Any]
"""(text, zone of the site) to a value; None: there is nothing."""

_STAMP = re.compile(
    r"(?a)(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\.\d{1,9})?)?)?)?)?)?([+-]\d{4})?"
)
_WRITTEN = re.compile(
    r"(?a)(\d{4})[-/](\d\d)(?:[-/](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?)?"
    r"(?:([+-]\d\d):?(\d\d)|Z)?"
)
_TIME = re.compile(r"(?a)(\d\d):?(\d\d)?(?::?(\d\d)(\.\d{1,6})?)?")
_NUMBER = re.compile(r"\s*([<>]=?)?\s*([+-]?(?:\d{1,18}(?:\.\d{0,12})?|\.\d{1,12}))\s*")
_SUM = re.compile(r"(?a)(\S+) \+ (\d{1,7}) ?(\S*)")
_END = r"\d{1,12}(?:\.\d{1,9})?"
_LIMITS = re.compile(
    rf"\s*(?:(-{_END})\s*[-–—~～_]\s*([+-]?{_END})|(\+?{_END})\s*(?:--?|[–—~～_])\s*(\+?{_END}))\s*"
)
_SAMPLE = re.compile(r"[+-]?\d{1,10}(?:\.\d{1,10})?")
_POWER = re.compile(r"(?a)(?:[x×X*] ?)?10(?:\^|[eE])(\d{1,2})(?=/|$)")
_HAN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
_MOST = 2**31 - 1
_SECONDS = {
    **dict.fromkeys(("", "m", "min", "mins", "minute", "minutes", "分钟", "分鐘", "分"), 60),
    **dict.fromkeys(("s", "sec", "second", "seconds", "秒"), 1),
    **dict.fromkeys(("h", "hr", "hour", "hours", "小时", "小時"), 3600),
    **dict.fromkeys(("d", "day", "days", "天"), 86_400),
}
_MEDIA = frozenset(("application", "audio", "image", "multipart", "text", "video"))
_MEDIA_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]{0,80}")
_MEDIA_KINDS = {
    "ap": "application",
    "au": "audio",
    "ft": "text",
    "im": "image",
    "ns": "image",
    "sd": "image",
    "si": "image",
    "tx": "text",
}
_MEDIA_OF = {
    **dict.fromkeys(("pdf", "rtf", "msword", "dicom", "json"), "application"),
    **dict.fromkeys(("jpeg", "jpg", "png", "gif", "tiff", "tif", "bmp"), "image"),
    **dict.fromkeys(("html", "plain", "sgml"), "text"),
}
_MEDIA_SPELLED = {"jpg": "jpeg", "tif": "tiff"}
_BOOLEANS = {"Y": True, "N": False, "T": True, "F": False, "1": True, "0": False}


class Unusable(Exception):
    """The text cannot be this kind of value.

    Attributes:
        id: Stable message id of the remark.
    """

    def __init__(self, message: str) -> None:
        """Keep the message id; the text itself stays out."""
        self.id = message
        super().__init__(message)


def _moment(text: str) -> tuple[str, ...]:
    """Year, month, day, hour, minute, second, fraction, offset; "" where there is none."""
    match = _STAMP.fullmatch(text)
    if match is not None:
        return tuple(part or "" for part in match.groups())
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise Unusable("hl7v2-bad-date")
    parts = [part or "" for part in match.groups()]
    offset = parts[7] + parts[8]
    return (*parts[:7], offset or ("+0000" if text.endswith("Z") else ""))


def _checked(
    year: str, month: str, day: str, hour: str = "", minute: str = "", second: str = ""
) -> datetime:
    """A time that there is, as if it were UTC."""
    try:
        return datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=UTC,
        )
    except ValueError:
        raise Unusable("hl7v2-bad-date") from None


@lru_cache(maxsize=8192)
def date(text: str, zone: str = "") -> str:
    """DT or DTM to a date of the precision that is there; a time of day is left out."""
    year, month, day, *_ = _moment(text)
    _checked(year, month, day)
    return "-".join(part for part in (year, month, day) if part)


@lru_cache(maxsize=8192)
def date_time(text: str, zone: str) -> str:
    """DTM to a dateTime of the precision that is there, in the site's zone unless it says one.

    FHIR knows no hour without minutes and no minute without seconds: they become 00.
    """
    year, month, day, hour, minute, second, fraction, offset = _moment(text)
    if not hour:
        _checked(year, month, day)
        return "-".join(part for part in (year, month, day) if part)
    local = _checked(year, month, day, hour, minute, second)
    if offset:
        if int(offset[1:3]) > 14 or int(offset[3:]) > 59:
            raise Unusable("hl7v2-bad-date")
        written = f"{offset[:3]}:{offset[3:]}"
    else:
        written = _offset(local, zone)
    fraction = fraction[:10]
    return f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}{fraction}{written}"


def _offset(local: datetime, zone: str) -> str:
    found = local.replace(tzinfo=_zone(zone)).strftime("%z")
    return f"{found[:3]}:{found[3:5]}"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant(text: str, zone: str) -> str:
    """DTM to an instant; one without minutes is none."""
    found = date_time(text, zone)
    if len(text) < 12:
        raise Unusable("hl7v2-bad-instant")
    return found


def time(text: str, zone: str) -> str:
    """TM to a time."""
    match = _TIME.fullmatch(text.split("+", 1)[0].split("-", 1)[0])
    if match is None:
        raise Unusable("hl7v2-bad-time")
    hour, minute, second, fraction = (part or "" for part in match.groups())
    if int(hour) > 23 or int(minute or 0) > 59 or int(second or 0) > 59:
        raise Unusable("hl7v2-bad-time")
    return f"{hour}:{minute or '00'}:{second or '00'}{fraction}"


def boolean(text: str, zone: str) -> bool:
    """Y or N (table 0136)."""
    found = _BOOLEANS.get(text.upper())
    if found is None:
        raise Unusable("hl7v2-bad-boolean")
    return found


def decimal(text: str, zone: str) -> Decimal | int:
    """NM to a number with the digits it has."""
    match = _NUMBER.fullmatch(text)
    if match is None or match.group(1):
        raise Unusable("hl7v2-bad-number")
    return _number(match.group(2))


def number(text: str, zone: str) -> Decimal | int:
    """The number of `<5` or `5`."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise Unusable("hl7v2-bad-number")
    return _number(match.group(2))


def comparator(text: str, zone: str) -> str | None:
    """The sign of `<5`; None without one."""
    match = _NUMBER.fullmatch(text)
    if match is not None:
        return match.group(1)
    return text if text in ("<", "<=", ">", ">=") else None


def _number(text: str) -> Decimal | int:
    return Decimal(text.rstrip(".") or "0") if "." in text else int(text)


def _whole(least: int) -> Kind:
    def read(text: str, zone: str) -> int:
        try:
            found = int(text) if len(text) < 12 else _MOST + 1
        except ValueError:
            raise Unusable("hl7v2-bad-number") from None
        if not least <= found <= _MOST:
            raise Unusable("hl7v2-bad-number")
        return found

    return read


def code(text: str, zone: str) -> str:
    """A code: no blanks at the ends, single ones within."""
    return text if text.isalnum() else " ".join(text.split())


def string(text: str, zone: str) -> str:
    """Text as it is."""
    return text


def uri(text: str, zone: str) -> str:
    """A URI: no blanks."""
    if len(text.split(None, 1)) != 1:
        raise Unusable("hl7v2-bad-uri")
    return text


def base64_binary(text: str, zone: str) -> str:
    """Base64, checked; line breaks in it go."""
    found = "".join(text.split())
    try:
        base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        raise Unusable("hl7v2-bad-base64") from None
    return found


def hexadecimal(text: str, zone: str) -> str:
    """ED in hexadecimal digits to base64."""
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        raise Unusable("hl7v2-bad-base64") from None


def plain(text: str, zone: str) -> str:
    """ED in plain text to base64 of its UTF-8."""
    return base64.b64encode(text.encode()).decode()


def sum_of(text: str, zone: str) -> str | None:
    """`202603160900 + 30 min`: an instant after another; None when a part is missing."""
    match = _SUM.fullmatch(text)
    if match is None:
        return None
    stamp, amount, unit = match.groups()
    seconds = _SECONDS.get(unit.lower())
    if seconds is None:
        raise Unusable("hl7v2-bad-duration")
    begin = datetime.fromisoformat(instant(stamp, zone))
    try:
        return (begin + timedelta(seconds=int(amount) * seconds)).isoformat()
    except OverflowError:
        raise Unusable("hl7v2-bad-duration") from None


def _ends(text: str) -> tuple[Decimal | int, Decimal | int] | None:
    """Both ends of `3.5-9.5` (`3.5--9.5` where the first is not below zero); None for no range."""
    match = _LIMITS.fullmatch(text)
    if match is None:
        return None
    low, high = (_number(end) for end in match.groups() if end)
    return (low, high) if low <= high else None


def low_end(text: str, zone: str) -> Decimal | int | None:
    """The lower limit of `3.5-9.5`; None when it is not written so."""
    ends = _ends(text)
    return None if ends is None else ends[0]


def high_end(text: str, zone: str) -> Decimal | int | None:
    """The upper limit of `3.5-9.5`; None when it is not written so."""
    ends = _ends(text)
    return None if ends is None else ends[1]


def samples(text: str, zone: str) -> str | None:
    """NA to the numbers of SampledData."""
    return " ".join(_SAMPLE.findall(text)) or None


def media_type(text: str, zone: str) -> str | None:
    """`AP/PDF`, `application/pdf`, `/JPEG` of tables 0191 and 0291 to a MIME type."""
    kind, _, subtype = (part.strip().lower() for part in text.partition("/"))
    if not _MEDIA_NAME.fullmatch(subtype):
        return None
    kind = _MEDIA_OF.get(subtype) or _MEDIA_KINDS.get(kind, kind)
    return f"{kind}/{_MEDIA_SPELLED.get(subtype, subtype)}" if kind in _MEDIA else None


def power(text: str, zone: str) -> str | None:
    """`10^9/L`, a unit with a power of ten, as it is written; any other text is nothing."""
    return text if _POWER.match(text) else None


def ucum_code(text: str, zone: str) -> str | None:
    """The text when it is a UCUM unit, `10^9/L` as UCUM writes it: `10*9/L`; else nothing."""
    if len(text) >= 60 or (text.isdigit() and text != "1"):
        return None
    code = _POWER.sub(r"10*\1", text)
    return code if _is_ucum(code) else None


def ucum_system(text: str, zone: str) -> str | None:
    """UCUM's URI when the text is a UCUM unit, else nothing."""
    return None if ucum_code(text, zone) is None else "http://unitsofmeasure.org"


@lru_cache(maxsize=4096)
def _is_ucum(text: str) -> bool:
    return ucum.is_valid(text)


def name(text: str, zone: str) -> str | None:
    """`family, given` as it is said: 张三, Mary Smith."""
    family, _, given = (part.strip() for part in f" {text} ".partition(", "))
    return (family + given if _HAN.search(text) else f"{given} {family}").strip() or None


KINDS: dict[str, Kind] = {
    "date": date,
    "dateTime": date_time,
    "instant": instant,
    "time": time,
    "boolean": boolean,
    "decimal": decimal,
    "number": number,
    "comparator": comparator,
    "integer": _whole(-_MOST),
    "positiveInt": _whole(1),
    "unsignedInt": _whole(0),
    "code": code,
    "string": string,
    "markdown": string,
    "text": string,
    "uri": uri,
    "url": uri,
    "canonical": uri,
    "base64Binary": base64_binary,
    "hexadecimal": hexadecimal,
    "plain": plain,
    "power": power,
    "ucum": ucum_code,
    "name": name,
    "ucumsystem": ucum_system,
    "sum": sum_of,
    "low": low_end,
    "high": high_end,
    "samples": samples,
    "mediatype": media_type,
}
