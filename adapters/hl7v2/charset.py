r"""Bytes of a message to text, strictly.

The charset is what MSH-18 says (HL7 table 0211), else what the site's file says, else what the
bytes can only be. Decoding comes before splitting: trail bytes of GB18030, GBK and Big5 include
`\\ ^ | ~`. What cannot be decoded is refused, never repaired: no replacement character is stored.
HL7 v2.9 chapter 2, sections 2.14 (MSH-18) and 2.15. Called by `adapters.hl7v2.envelope` and
whatever shows messages; `fits` for answers, `codecs_of` for messages out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from hub.errors import Issue, Unprocessable, fault

DETECT = "detect"
"""Setting of a site: find out by the bytes."""

_EAST: dict[str, tuple[str, ...]] = {
    "gb18030": ("gb18030",),
    "gbk": ("gbk", "gb18030"),
    "big5": ("cp950", "big5hkscs"),
    "japanese": ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_jp_3"),
    "korean": ("euc_kr", "cp949"),
}
_NAMED: dict[str, tuple[str, ...]] = {
    # Table 0211.
    "ascii": ("ascii",),
    **{f"8859{part}": (f"iso8859-{part}",) for part in (*range(1, 10), 15)},
    "isoir6": ("ascii",),
    "isoir14": _EAST["japanese"],
    "isoir87": _EAST["japanese"],
    "isoir159": _EAST["japanese"],
    "gb180302000": _EAST["gb18030"],
    "ksx1001": _EAST["korean"],
    "big5": _EAST["big5"],
    "unicode": ("utf-16",),
    "unicodeutf8": ("utf-8",),
    "unicodeutf16": ("utf-16",),
    "unicodeutf32": ("utf-32",),
    # What senders write instead.
    "usascii": ("ascii",),
    "utf8": ("utf-8",),
    "utf16": ("utf-16",),
    "gb18030": _EAST["gb18030"],
    "gb180302005": _EAST["gb18030"],
    "gb180302022": _EAST["gb18030"],
    "gbk": _EAST["gbk"],
    "cp936": _EAST["gbk"],
    "gb2312": _EAST["gbk"],
    "gb231280": _EAST["gbk"],
    "cp950": _EAST["big5"],
    "big5hkscs": ("big5hkscs",),
    "latin1": ("iso8859-1",),
    **{f"iso8859{part}": (f"iso8859-{part}",) for part in (*range(1, 10), 15)},
    "windows1252": ("cp1252",),
    "cp1252": ("cp1252",),
    "shiftjis": ("cp932",),
    "euckr": _EAST["korean"],
}
_UNWRITTEN = re.compile(r"[^a-z0-9]")
_LINE_END = re.compile(rb"[\r\n]")
_SAMPLE = 65_536

# How usual the characters are that two bytes would be: 1 for everyday characters and
# punctuation, less for rare ones. GB 2312's levels are by use, Big5's too.
_GB_PAIR = re.compile(rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[\x30-\x39][\x81-\xfe][\x30-\x39])")
_GB_EVERYDAY = re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]")
_GB_SELDOM = re.compile(rb"[\xa4-\xa9\xd8-\xf7][\xa1-\xfe]")
_BIG5_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]")
_BIG5_EVERYDAY = re.compile(rb"[\xa1-\xc5][\x40-\xfe]|\xc6[\x40-\x7e]")
_HIGH = re.compile(rb"[\x80-\xff]")
_WESTERN = re.compile(rb"(?<![\x80-\xff])[\xaa\xb0\xb5\xba\xc0-\xff](?![\x80-\xff])")
_CONTROL = re.compile(rb"[\x80-\x9f]")
_SHORT_ONLY = re.compile(rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf])*")
_BESIDE_LETTERS = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_MARGIN = 0.15
_MARGIN_ABROAD = 0.35
_EXPECTED_BONUS = 0.3
_GUESSES = {
    "utf-8": "UNICODE UTF-8",
    "gb18030": "GB 18030-2000",
    "cp950": "BIG-5",
    "iso8859-1": "8859/1",
}
_TRADITIONAL = frozenset(
    ("TWN", "TW", "HKG", "HK", "MAC", "MO", "Asia/Taipei", "Asia/Hong_Kong", "Asia/Macau")
)
_SIMPLIFIED = frozenset(
    ("CHN", "CN", "SGP", "SG", "Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Singapore")
)


class Decoded(NamedTuple):
    """A message's text.

    Attributes:
        text: All of it.
        codec: Python's name of the charset it came in.
        declared: MSH-18 as it came, for MSH-18 of answers.
    """

    text: str
    codec: str
    declared: str


def codecs_of(name: str) -> tuple[str, ...] | None:
    """Python's codecs for one charset's name, to be tried in this order; None: unknown.

    Args:
        name: As in table 0211 or as senders write it, in any case and punctuation.
    """
    return _NAMED.get(_UNWRITTEN.sub("", name.lower()))


def decode(raw: bytes, *, setting: str = DETECT, zone: str = "", believe: bool = True) -> Decoded:
    """Bytes of a message to text.

    Args:
        raw: Without framing.
        setting: Charset of the site when MSH-18 is empty, or `DETECT`.
        zone: The site's zone; tells simplified from traditional Chinese when nothing else does.
        believe: MSH-18 counts; else only the setting.

    Raises:
        Unprocessable: The charset is unknown, or the bytes are not in it, or could be in several,
            or the sender itself has put replacement characters in.
    """
    wide = _wide_codec(raw)
    if wide:
        text = _strictly(raw, (wide,), wide).text
        return Decoded(_whole(text), wide, _declared_in(text))
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    declared = declared_charset(raw)
    names = [name for name in declared.split("~") if name.strip()] if believe else []
    plain = raw.isascii() and b"\x1b" not in raw
    if plain:
        codec = next((found[0] for name in names if (found := codecs_of(name))), "")
        safe = codec if codec and codec[:5] not in ("utf-1", "utf-3") else "ascii"
        return Decoded(raw.decode("ascii"), safe, declared)
    if names:
        codecs = _declared_codecs(names, b"\x1b" in raw)
    elif setting != DETECT:
        codecs = codecs_of(setting) or ()
    else:
        codecs = (_detected(raw, zone),)
    decoded = _strictly(raw, codecs, declared or setting)
    return Decoded(_whole(decoded.text), decoded.codec, declared)


def fits(text: str, codec: str) -> bool:
    """Whether a charset has all characters of a text."""
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def declared_charset(raw: bytes) -> str:
    """MSH-18 as it is written, "" when it is not there.

    Fields before it may hold text whose trail bytes look like delimiters; so the header is read
    in the charset that it then turns out to name, and only else byte by byte.

    Args:
        raw: In a charset that contains ASCII.
    """
    header = _LINE_END.split(raw[:_SAMPLE], maxsplit=1)[0]
    if header.isascii():
        return _declared_in(header.decode("ascii"))
    for codec in ("utf-8", "gb18030", "cp950", "cp932"):
        try:
            declared = _declared_in(header.decode(codec))
        except UnicodeDecodeError:
            continue
        if any(codec in (codecs_of(name) or ()) for name in declared.split("~")):
            return declared
    declared = _declared_in(header.decode("iso8859-1"))
    return declared if declared.isascii() else ""


def _declared_in(text: str) -> str:
    header = re.split("[\r\n]", text, maxsplit=1)[0]
    fields = header.split(header[3:4] or "|", 18)
    return fields[17].strip() if len(fields) > 17 else ""


@lru_cache(maxsize=64)
def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        codecs = codecs_of(name)
        if codecs is None:
            raise Unprocessable(fault("not-supported", "hl7v2-charset-unknown", "MSH-18"))
        found += codecs
    return tuple(dict.fromkeys(found))


def _declared_codecs(names: list[str], escapes: bool) -> tuple[str, ...]:
    """Codecs of MSH-18; several sets are switched by ISO 2022 escapes, or one holds them all."""
    codecs = _known(tuple(names))
    if escapes and len(names) > 1:
        return ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr", *codecs)
    return codecs


def _strictly(raw: bytes, codecs: tuple[str, ...], named: str) -> Decoded:
    first: UnicodeDecodeError | None = None
    for codec in codecs:
        try:
            return Decoded(raw.decode(codec), codec, "")
        except UnicodeDecodeError as error:
            first = first or error
    start = first.start if first else 0
    line = len(_LINE_END.findall(raw[:start])) + 1
    raise Unprocessable(
        fault("structure", "hl7v2-undecodable", "MSH-18", line=line, charset=_shown(named))
    )


def _shown(name: str) -> str:
    """A charset's name for an error; what a sender may have put there instead stays unsaid."""
    return name if all(codecs_of(part) for part in name.split("~") if part) else "MSH-18"


def _whole(text: str) -> str:
    if "�" in text:
        place = text.count("\r", 0, text.index("�")) + 1
        raise Unprocessable(fault("structure", "hl7v2-replacement", "MSH-18", line=place))
    return text


def _wide_codec(raw: bytes) -> str:
    """UTF-16 or UTF-32 by the byte order mark or by the letters MSH; "" for neither."""
    start = raw[:4]
    if start in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        return "utf-32"
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return {b"M\0S\0": "utf-16-le", b"\0M\0S": "utf-16-be", b"M\0\0\0": "utf-32-le"}.get(start, "")


def _detected(raw: bytes, zone: str) -> str:
    """The one charset of UTF-8, GB18030, Big5 and ISO-8859-1 that bytes are in.

    Raises:
        Unprocessable: It could be one or another.
    """
    sample = raw[:_SAMPLE]
    expected = _expected(_field(raw, 17).upper(), zone)
    if _decodes(raw, "utf-8") and _is_utf8(sample, expected):
        return "utf-8"
    scores = {
        codec: share(sample) + _EXPECTED_BONUS * (codec == expected) if _decodes(raw, codec) else -1
        for codec, share in _SHARES.items()
    }
    western = len(_WESTERN.findall(sample)) / len(_HIGH.findall(sample) or "-")
    scores["iso8859-1"] = -1 if _CONTROL.search(raw) else western
    best, second, _ = sorted(scores, key=lambda codec: scores[codec], reverse=True)
    if scores[best] - scores[second] > (_MARGIN if expected else _MARGIN_ABROAD):
        return best
    raise _ambiguous(best, second)


def _is_utf8(sample: bytes, expected: str) -> bool:
    """Whether bytes that could be UTF-8 are.

    A name of two or three characters in GB18030 may be letters of other scripts in UTF-8.
    """
    if not _SHORT_ONLY.fullmatch(sample) or _BESIDE_LETTERS.search(sample):
        return True
    if expected:
        return _SHARES[expected](sample) < 0.7
    if _gb_share(sample) == 1.0:
        raise _ambiguous("utf-8", "gb18030")
    return True


def _ambiguous(first: str, second: str) -> Unprocessable:
    names = {"first": _GUESSES[first], "second": _GUESSES[second]}
    return Unprocessable(
        Issue("error", "structure", "hl7v2-charset-ambiguous", {**names}, "MSH-18")
    )


def _expected(country: str, zone: str) -> str:
    """What Chinese text is most likely in, by MSH-17 or the site's zone; "" for elsewhere."""
    place = country or zone
    if place in _TRADITIONAL:
        return "cp950"
    return "gb18030" if place in _SIMPLIFIED else ""


def _field(raw: bytes, number: int) -> str:
    fields = _LINE_END.split(raw[:_SAMPLE], maxsplit=1)[0].split(raw[3:4] or b"|")
    return fields[number - 1].decode("ascii", "ignore") if len(fields) >= number else ""


def _decodes(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _gb_share(sample: bytes) -> float:
    pairs: list[bytes] = _GB_PAIR.findall(sample)
    everyday = sum(1 for pair in pairs if _GB_EVERYDAY.fullmatch(pair))
    seldom = sum(1 for pair in pairs if _GB_SELDOM.fullmatch(pair))
    rare = len(pairs) - everyday - seldom
    return (everyday + 0.7 * seldom + 0.3 * rare) / max(len(pairs), 1)


def _big5_share(sample: bytes) -> float:
    pairs: list[bytes] = _BIG5_PAIR.findall(sample)
    everyday = sum(1 for pair in pairs if _BIG5_EVERYDAY.fullmatch(pair))
    return (everyday + 0.3 * (len(pairs) - everyday)) / max(len(pairs), 1)


_SHARES: dict[str, Callable[[bytes], float]] = {"gb18030": _gb_share, "cp950": _big5_share}
