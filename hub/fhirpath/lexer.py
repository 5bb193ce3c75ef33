"""Cuts the text of a FHIRPath expression into tokens.

The lexical rules of the grammar (http://hl7.org/fhirpath/N1/grammar.html): whitespace and
comments are dropped, strings and delimited identifiers are unescaped, date and time literals
stay text for the parser. Called by `hub.fhirpath.parser`. One regular expression without
backtracking, so the time is linear in the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hub.fhirpath.errors import FHIRPathSyntaxError

MAX_LENGTH = 65_536

_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\r\n]+|//[^\r\n]*|/\*(?s:.*?)\*/)
  | (?P<datetime>@\d{{4}}(?:-\d{{2}}(?:-\d{{2}})?)?T(?:{_TIME}(?:Z|[+-]\d{{2}}:\d{{2}})?)?)
  | (?P<date>@\d{{4}}(?:-\d{{2}}(?:-\d{{2}})?)?)
  | (?P<time>@T{_TIME})
  | (?P<decimal>[0-9]+\.[0-9]+)
  | (?P<integer>[0-9]+)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>'(?:[^'\\]|\\(?s:.))*')
  | (?P<delimited>`(?:[^`\\]|\\(?s:.))*`)
  | (?P<special>\$(?:this|index|total)\b)
  | (?P<symbol><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{{}}%])
    """,
    re.VERBOSE | re.ASCII,
)
_OPENINGS = {"'": "string", "`": "identifier", "/*": "comment"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|u|(?s:.))")
_ESCAPES = {
    "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/",
    "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip


class Token(NamedTuple):
    """A token: its kind, its text (unescaped) and where it starts, from 1.

    Kinds: datetime, date, time, decimal, integer, word, string, delimited, special, symbol
    and end. The text of a symbol is the symbol.
    """

    kind: str
    text: str
    position: int


def _unescape(body: str, position: int) -> str:
    r"""Resolve escapes; an escape the grammar does not know stays as written.

    R4's own invariants rely on the latter for regular expressions (`'\.'`).
    """
    if "\\" not in body:
        return body

    def replaced(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        return _ESCAPES.get(escape, match.group(0))

    plain = _ESCAPE.sub(replaced, body)
    try:  # two escapes may be the halves of one character
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FHIRPathSyntaxError("fhirpath-bad-literal", position, what="string") from None


def _refuse(text: str, position: int) -> FHIRPathSyntaxError:
    for opening, what in _OPENINGS.items():
        if text.startswith(opening, position):
            return FHIRPathSyntaxError("fhirpath-unterminated", position + 1, what=what)
    return FHIRPathSyntaxError(
        "fhirpath-unexpected-character", position + 1, found=ascii(text[position])
    )


def tokens(text: str) -> list[Token]:
    """Cut an expression into tokens; the last one is of kind `end`.

    Args:
        text: The expression.

    Raises:
        FHIRPathSyntaxError: Over MAX_LENGTH characters, or a character no token starts with.
    """
    if len(text) > MAX_LENGTH:
        raise FHIRPathSyntaxError("fhirpath-too-long", length=len(text), limit=MAX_LENGTH)
    found: list[Token] = []
    position = 0
    length = len(text)
    while position < length:
        match = _TOKEN.match(text, position)
        if match is None or (match.lastgroup != "space" and text.startswith("/*", position)):
            raise _refuse(text, position)
        kind = match.lastgroup or ""
        if kind != "space":
            body = match.group()
            if kind in ("string", "delimited"):
                body = _unescape(body[1:-1], position + 1)
            found.append(Token(kind, body, position + 1))
        position = match.end()
    found.append(Token("end", "", length + 1))
    return found
