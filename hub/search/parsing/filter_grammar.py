"""The grammar of `_filter` (https://hl7.org/fhir/R4/search_filter.html), without its meaning.

    filter   = term *( ("and" / "or") term )        left to right, no precedence
    term     = "not" "(" filter ")" / "(" filter ")" / path SP operator SP value
    path     = "_has:" type ":" name ":" path
             / name [ ":" type ] [ "[" filter "]" ] [ "." path ]
    value    = JSON string / any characters but white space, ")" and "]"

Called by `hub.search.parsing.filters`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from hub.messages import Phrase
from hub.search.parsing.reading import refuse

LONGEST = 8192
DEEPEST = 24

_ORDERED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")
OPERATORS = frozenset([*_ORDERED, "co", "sw", "ew", "pr", "po", "ss", "sb", "in", "ni", "re"])

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_TYPE = re.compile(r":([A-Za-z][A-Za-z0-9]*)")
_HAS = re.compile(r"_has:([A-Za-z][A-Za-z0-9]*):([A-Za-z_][A-Za-z0-9_\-]*):")
_WORD = re.compile(r"[A-Za-z]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN = re.compile(r"[^\s)\]]+")


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path: target type or "", and the filter in brackets or None."""

    name: str
    type: str = ""
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class HasStep:
    """`_has:source:code:` before the rest of a path."""

    source: str
    code: str


@dataclass(frozen=True, slots=True)
class Test:
    """path operator value; `quoted` tells a JSON string from a token."""

    path: tuple[Step | HasStep, ...]
    operator: str
    value: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Not:
    """not (filter)."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class Logic:
    """Filters joined by one operator, `and` or `or`."""

    operator: str
    filters: tuple[Filter, ...]


Filter = Test | Not | Logic


def parse_filter(text: str) -> Filter:
    """Read a filter.

    Args:
        text: The value of `_filter`.

    Raises:
        BadRequest: It is too long, too deep or no filter.
    """
    if len(text) > LONGEST:
        refuse("too-long", "search-filter-too-long", limit=LONGEST)
    parser = _Parser(text)
    found = parser.filter(0)
    if parser.place < len(text):
        parser.expected("and, or, or the end")
    return found


class _Parser:
    """One pass over the text of a filter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.space()

    def expected(self, what: str, **words: str) -> NoReturn:
        expected = Phrase(what, words)
        refuse("invalid", "search-filter-syntax", position=self.place + 1, expected=expected)

    def space(self) -> bool:
        """Step over white space; whether there was any."""
        found = _SPACE.match(self.text, self.place)
        before, self.place = self.place, found.end() if found else self.place
        return self.place > before

    def accept(self, symbol: str) -> bool:
        if self.text.startswith(symbol, self.place):
            self.place += len(symbol)
            return True
        return False

    def take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self.text, self.place)
        if found is None:
            self.expected(what)
        self.place = found.end()
        return found

    def peek_word(self) -> str:
        found = _WORD.match(self.text, self.place)
        return found[0] if found else ""

    def filter(self, depth: int) -> Filter:
        if depth > DEEPEST:
            refuse("too-costly", "search-filter-too-deep", limit=DEEPEST)
        found = self.term(depth)
        while (operator := self.peek_word()) in ("and", "or"):
            self.place += len(operator)
            if not self.space() and not self.text.startswith("(", self.place):
                self.expected("a space")
            right = self.term(depth)
            if isinstance(found, Logic) and found.operator == operator:
                found = Logic(operator, (*found.filters, right))
            else:
                found = Logic(operator, (found, right))
        return found

    def term(self, depth: int) -> Filter:
        start = self.place
        if self.peek_word() == "not":
            self.place += len("not")
            self.space()
            if self.text.startswith("(", self.place):
                return Not(self.enclosed(depth))
            self.place = start
        if self.text.startswith("(", self.place):
            return self.enclosed(depth)
        return self.test(depth)

    def enclosed(self, depth: int) -> Filter:
        self.place += 1
        self.space()
        found = self.filter(depth + 1)
        if not self.accept(")"):
            self.expected(")")
        self.space()
        return found

    def test(self, depth: int) -> Filter:
        path = self.path(depth)
        if not self.space():
            self.expected("a space")
        start = self.place
        operator = self.take(_WORD, "an operator")[0]
        if operator not in OPERATORS:
            self.place = start
            self.expected("one of {names}", names=" ".join(sorted(OPERATORS)))
        if not self.space():
            self.expected("a space")
        value, quoted = self.value()
        self.space()
        return Test(path, operator, value, quoted)

    def path(self, depth: int) -> tuple[Step | HasStep, ...]:
        steps: list[Step | HasStep] = []
        while True:
            has = _HAS.match(self.text, self.place)
            if has is not None:
                self.place = has.end()
                steps.append(HasStep(has[1], has[2]))
                continue
            name = self.take(_NAME, "a search parameter")[0]
            of_type = _TYPE.match(self.text, self.place)
            if of_type is not None:
                self.place = of_type.end()
            inner: Filter | None = None
            if self.accept("["):
                self.space()
                inner = self.filter(depth + 1)
                if not self.accept("]"):
                    self.expected("]")
            steps.append(Step(name, of_type[1] if of_type else "", inner))
            if not self.accept("."):
                return tuple(steps)

    def value(self) -> tuple[str, bool]:
        if self.text.startswith('"', self.place):
            start = self.place
            quoted = self.take(_STRING, "a closing quotation mark")[0]
            try:
                return str(json.loads(quoted, strict=False)), True
            except ValueError:
                self.place = start
                self.expected("a JSON string")
        return self.take(_TOKEN, "a value")[0], False
