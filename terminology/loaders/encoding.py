"""From the bytes of a text file to its text: a byte-order mark, UTF-8 or GB18030, strictly.

A file that is valid UTF-8 is UTF-8: Chinese text in GB18030 practically never is. Nothing is
replaced; what cannot be read is refused with its row. Used by the CSV loader.
"""

from __future__ import annotations

import codecs

from terminology.loaders.problems import refused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ALIASES = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "utf-8": "utf-8-sig"}


def decoded(data: bytes, encoding: str = "") -> tuple[str, str]:
    """The text of a file and the encoding it was read in.

    Args:
        data: All of the file.
        encoding: Python's name of it; "" to find out.

    Raises:
        FileRefused: It is in none of these encodings, or not in the one that was named.
    """
    if encoding:
        try:
            name = codecs.lookup(encoding).name
        except LookupError:
            raise refused("terminology-encoding-unknown", name=encoding[:40]) from None
        # GB18030 holds all of GBK and GB2312, and many files named so hold more than they may.
        return _strict(data, _ALIASES.get(name, name)), encoding
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise refused("terminology-spreadsheet")
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data, name), name
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError as first:
        try:
            return data.decode("gb18030"), "gb18030"
        except UnicodeDecodeError as second:
            # Whichever got further is what the file was meant to be.
            worse = max(first.start, second.start)
            row = data.count(b"\n", 0, worse) + 1
            raise refused("terminology-encoding", row, byte=worse) from None


def _strict(data: bytes, name: str) -> str:
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise refused(
            "terminology-encoding-wrong", row, name=name.removesuffix("-sig"), byte=error.start
        ) from None
    return text.removeprefix("\ufeff")
