"""Messages and streams that mean harm, by name.

`VALUE` stands in every one that has a body, so that a test can see whether it leaks into logs,
answers or metrics. Called by `test_hostile_senders`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from random import Random

VALUE = "Xsecretx"
SCALE = float(os.environ.get("TEST_HOSTILE_SCALE", "0.05"))
_MSH = "MSH|^~\\&|EVIL|WARD|HUB|CLINIC|20260301080000||{kind}|{id}|P|2.5{rest}\r"
_PID = f"PID|1||{VALUE}1^^^HIS^MR||{VALUE}^Given||19900307|F\r"


def header(kind: str = "ADT^A08", id: str = "E1", rest: str = "") -> str:
    """MSH."""
    return _MSH.format(kind=kind, id=id, rest=rest)


def _many(number: int) -> int:
    """So many; fewer in the suite."""
    return max(1, int(number * SCALE))


def _adt(body: str, rest: str = "") -> bytes:
    return f"{header(rest=rest)}EVN||20260301080000\r{body}".encode()


def _oru(*segments: str) -> bytes:
    return (
        header("ORU^R01") + _PID + f"OBR|1|P1^HIS|F1^LIS|X^{VALUE}^99LIS\r" + "".join(segments)
    ).encode()


def _document(content: str) -> bytes:
    return _oru(f"OBX|1|ED|a^{VALUE}||^AP^PDF^Base64^{content}||||||F\r")


MESSAGES: dict[str, Callable[[], bytes]] = {
    "nothing but MSH": lambda: b"MSH",
    "MSH without fields": lambda: b"MSH|^~\\&",
    "no MSH": lambda: _PID.encode(),
    "NUL everywhere": lambda: _adt(_PID.replace("Given", "G\0iven\0")) + b"\0" * 5000,
    "NUL only": lambda: b"\0" * _many(100_000),
    "CR only": lambda: b"\r" * _many(1_000_000),
    "MSH a hundred thousand times": lambda: header().encode() * _many(100_000),
    "an MSH of 10 MB": lambda: header(rest="|" + "x" * _many(10_000_000)).encode(),
    "100,000 fields in MSH": lambda: header(rest="|x" * _many(100_000)).encode(),
    "100,000 fields in one segment": lambda: _adt("PID" + f"|{VALUE}" * _many(100_000) + "\r"),
    "100,000 fields in a Z-segment": lambda: _adt(_PID + "ZZZ" + "|x" * _many(100_000) + "\r"),
    "one field of 15 MB": lambda: _adt(_PID.replace("Given", "x" * _many(15_000_000))),
    "one value of 15 MB": lambda: _oru("OBX|1|FT|a||" + "x" * _many(15_000_000) + "||||||F\r"),
    "an identifier of 1 MB": lambda: _adt(_PID.replace(f"{VALUE}1", "x" * _many(1_000_000))),
    "50,000 identifiers": lambda: _adt(
        "PID|1||" + "~".join(f"{VALUE}{n}^^^A{n}^MR" for n in range(_many(50_000))) + "||a^b\r"
    ),
    "100,000 repetitions of a name": lambda: _adt(
        _PID.replace("Given", "Given" + "~a^b" * _many(100_000))
    ),
    "a million empty repetitions": lambda: _adt(_PID.replace("Given", "~" * _many(1_000_000))),
    "a million components": lambda: _adt(_PID.replace("Given", "^" * _many(1_000_000))),
    "a million subcomponents": lambda: _adt(_PID.replace("Given", "&" * _many(1_000_000))),
    "a million escapes": lambda: _adt(_PID.replace("Given", "\\T\\" * _many(333_333))),
    "a million backslashes": lambda: _adt(_PID.replace("Given", "\\" * _many(1_000_001))),
    "escapes in escapes": lambda: _adt(_PID.replace("Given", "\\E\\X0D\\E\\" * _many(50_000))),
    "hexadecimal of 2 MB": lambda: _adt(
        _PID.replace("Given", "\\X" + "41" * _many(1_000_000) + "\\")
    ),
    "hexadecimal without end": lambda: _adt(_PID.replace("Given", "\\X41" * _many(500_000))),
    "hexadecimal segments": lambda: _adt(_PID.replace("Given", "\\X0D\\PID|1||other\\X0D\\")),
    "empty lines by count": lambda: _adt(
        _PID.replace("Given", "\\.sp99999999999\\" * _many(20_000))
    ),
    "10,000 OBX": lambda: _oru(
        *(f"OBX|{n}|NM|C{n}^{VALUE}^99LIS||{n}.5|mmol/L|1-2|N|||F\r" for n in range(_many(10_000)))
    ),
    "20,000 OBX that are alike": lambda: _oru(
        *("OBX|1|ST|A^a^99LIS||x||||||F\r" for _ in range(_many(20_000)))
    ),
    "20,000 NTE": lambda: _oru(*("NTE|1||x\r" for _ in range(_many(20_000)))),
    "20,000 OBR": lambda: _oru(*(f"OBR|{n}||F{n}^L|X^x^L\r" for n in range(_many(20_000)))),
    "20,000 NK1": lambda: _adt(_PID + "".join(f"NK1|{n}|A{n}^b\r" for n in range(_many(20_000)))),
    "200,000 segments": lambda: _adt(_PID + "ZZZ|1\r" * _many(200_000)),
    "200,000 names of segments": lambda: _adt(
        _PID + "".join(f"Z{chr(65 + n // 36 % 26)}{n % 10}|1\r" for n in range(_many(200_000)))
    ),
    "base64 that is none": lambda: _document("%%%" * 1000),
    "base64 cut off": lambda: _document(base64.b64encode(b"x" * 1001).decode()[:-3]),
    "base64 of 12 MB": lambda: _document(base64.b64encode(b"x" * _many(9_000_000)).decode()),
    "base64 with a million breaks": lambda: _document("QUJD\\.br\\" * _many(200_000)),
    "a number of 100,000 digits": lambda: _oru("OBX|1|NM|a||" + "9" * _many(100_000) + "||||||F\r"),
    "an exponent": lambda: _oru("OBX|1|NM|a||1e999999999||||||F\r"),
    "a structured number": lambda: _oru("OBX|1|SN|a||>^" + "9" * 5000 + "^:^1e9999||||||F\r"),
    "repetitions by number": lambda: _oru("OBX|99999999999999999999|NM|a||1||||||F\r"),
    "stamps out of the world": lambda: _oru(
        "OBX|1|TS|a||99999999999999+9999||||||F|||00000000000000.99999999999999999-9959\r"
    ),
    "a deep type": lambda: _oru("OBX|1|" + "ED^" * _many(10_000) + "|a||1||||||F\r"),
    "a type of its own": lambda: _oru("OBX|1|__class__|a||1||||||F\r"),
    "delimiters the same twice": lambda: _adt(_PID).replace(b"^~\\&", b"^^\\&", 1),
    "delimiters are letters": lambda: _adt(_PID).replace(b"^~\\&", b"abcd", 1),
    "the field delimiter is a letter": lambda: _adt(_PID).replace(b"|", b"M"),
    "the field delimiter is CR": lambda: _adt(_PID).replace(b"|", b"\r"),
    "the field delimiter is NUL": lambda: _adt(_PID).replace(b"|", b"\0"),
    "the field delimiter is 0B": lambda: _adt(_PID).replace(b"|", b"\x0b"),
    "no delimiters": lambda: _adt(_PID).replace(b"^~\\&", b"", 1),
    "delimiters of two bytes": lambda: _adt(_PID).replace(b"|", "§".encode()),
    "MSH-18 is a lie": lambda: _adt(_PID, "||||||UNICODE UTF-8").replace(b"Given", b"\xc8\xcb"),
    "MSH-18 is unknown": lambda: _adt(_PID, "||||||NONE").replace(b"Given", b"\xc8\xcb"),
    "MSH-18 says UTF-7": lambda: _adt(_PID, "||||||UTF-7").replace(b"Given", b"+AHwA-\xff"),
    "MSH-18 a hundred thousand times": lambda: _adt(
        _PID, "||||||" + "GBK~" * _many(100_000)
    ).replace(b"Given", b"\xc8\xcb"),
    "MSH-18 is a codec that unpacks": lambda: _adt(_PID, "||||||zlib_codec").replace(
        b"Given", b"\xc8\xcb"
    ),
    "UTF-16 with a mark": lambda: _adt(_PID, "||||||UNICODE").decode().encode("utf-16"),
    "UTF-16 cut in two": lambda: _adt(_PID, "||||||UNICODE").decode().encode("utf-16")[:-1],
    "lone surrogates": lambda: _adt(_PID.replace("Given", "\\XEDA080\\")).replace(
        VALUE.encode(), b"\xed\xa0\x80"
    ),
    "a replacement character": lambda: _adt(_PID.replace("Given", "\ufffd")),
    "a hexadecimal replacement character": lambda: _adt(
        _PID.replace("Given", "\\XEFBFBD\\"), "||||||UNICODE UTF-8"
    ),
    "text that runs backwards": lambda: _adt(_PID.replace("Given", "\u202e\u2066\ufeff" * 1000)),
    "markup": lambda: _oru("OBX|1|FT|a||<script>alert(1)</script>||||||F\r"),
    "a control id of 100,000": lambda: header(id="x" * _many(100_000)).encode() + _PID.encode(),
    "a control id with an answer in it": lambda: header(id="1\nMSA|AA|1").encode() + _PID.encode(),
    "an unknown type": lambda: header(VALUE + "^A01").encode() + _PID.encode(),
    "an old type with a new event": lambda: header("ADT^A99").encode() + _PID.encode(),
    "an answer to nothing": lambda: header("ACK").encode() + b"MSA|AA|\r",
    "merged with itself": lambda: (
        header("ADT^A40").encode() + _PID.encode() + f"MRG|{VALUE}1^^^HIS^MR\r".encode()
    ),
    "5,000 merges": lambda: (
        header("ADT^A40").encode()
        + b"".join(
            f"PID|1||A{n}^^^HIS^MR||a^b\rMRG|A{n + 1}^^^HIS^MR\r".encode()
            for n in range(_many(5_000))
        )
    ),
    "a frame within": lambda: b"MSH|half\x0bMSH|also half\x0b" + _adt(_PID),
    "an end within": lambda: _adt(_PID.replace("Given", "\x1c\x0b\x1c")),
}


def damaged(chance: Random, messages: list[bytes]) -> bytes:
    """A message of a corpus with bytes changed, taken out, put in, or from another one."""
    raw = bytearray(chance.choice(messages))
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(raw) + 1)
        match chance.randrange(6):
            case 0:
                raw[place : place + 1] = bytes((chance.randrange(256),))
            case 1:
                del raw[place : place + chance.randint(1, 40)]
            case 2:
                raw[place:place] = chance.randbytes(chance.randint(1, 40))
            case 3:
                raw[place:place] = chance.choice(b'|^~\\&\r\n"\x00\x0b\x1c'.split(b"  ")) * 3
            case 4:
                other = chance.choice(messages)
                start = chance.randrange(len(other))
                raw[place:place] = other[start : start + chance.randint(1, 200)]
            case _:
                raw[place:place] = raw[: chance.randint(1, 300)]
    return bytes(raw)
