"""One-line expressions of the map language: text to a tree.

    PID-8 by sex or =unknown if not PID-31

The grammar is in docs/hl7v2/mapping.md. Called by `adapters.hl7v2.mapping.compiler`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from hub.errors import Issue, Unprocessable

MESSAGE_WORDS = ("trigger", "type", "kind", "version", "sender", "namespace", "own", "facility")

_TOKEN = re.compile(
    r"\s*(?:(?P<text>=?'(?:[^']|'')*')|(?P<constant>=[^\s),]+)|(?P<sign>!=|[=(),<>])"
    r"|(?P<word>[^\s(),']+))"
)
_FIELD = re.compile(
    r"([A-Z][A-Z0-9]{2})-(\d{1,4})(?:\[(\d{1,4}|\*)\])?(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?"
)
_COMPONENT = re.compile(r"([A-Z]{2,3})\.(\d{1,4})(?:\.(\d{1,4}))?")
_MAP = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\[([A-Za-z][A-Za-z0-9-]*)\])?")
_LONGEST = 1_000
_MOST_BRACKETS = 30
_SHOWN = 200
_HOLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Field:
    """`PID-3[2].4.1`. `repetition` 0: not said; -1: `[*]`. Component 0: the whole."""

    segment: str
    number: int
    repetition: int = 0
    component: int = 0
    subcomponent: int = 0

    @property
    def label(self) -> str:
        """As it is written, without repetition."""
        parts = [f"{self.segment}-{self.number}"]
        if self.component:
            parts.append(str(self.component))
        if self.subcomponent:
            parts.append(str(self.subcomponent))
        return ".".join(parts)


@dataclass(frozen=True, slots=True)
class Component:
    """`CX.4.2`: a part of what a datatype map is applied to; component 0: `this`."""

    datatype: str
    component: int
    subcomponent: int = 0

    @property
    def label(self) -> str:
        """`4.2`, `` for the whole."""
        if not self.component:
            return ""
        tail = f".{self.subcomponent}" if self.subcomponent else ""
        return f"{self.component}{tail}"


@dataclass(frozen=True, slots=True)
class Constant:
    """`=home`."""

    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """`={OBX-5.1}-{OBR-3|OBR-2}`: texts and sources in turn; of several the first that is there."""

    parts: tuple[str | tuple[Hole, ...], ...]

    @property
    def sources(self) -> Iterator[Hole]:
        """All its sources, in their order."""
        return (one for part in self.parts if not isinstance(part, str) for one in part)


@dataclass(frozen=True, slots=True)
class MessageWord:
    """`trigger` and its like: what the message says about itself."""

    word: str


@dataclass(frozen=True, slots=True)
class Ref:
    """`ref Patient`."""

    resource: str


Hole = Field | Component | MessageWord
Source = Field | Component | Constant | Template | MessageWord | Ref


@dataclass(frozen=True, slots=True)
class Expression:
    """A value: a source, what makes FHIR of it, and when.

    Attributes:
        source: Where it comes from.
        datatype: `CX` of `as CX[Identifier]`, or the kind of a primitive; "" for none.
        target: `Identifier` of `as CX[Identifier]`, "" when the element's type says it.
        table: Of `by`.
        otherwise: Of `or`.
        condition: Of `if`.
    """

    source: Source
    datatype: str = ""
    target: str = ""
    table: str = ""
    otherwise: Expression | None = None
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """`PV1-2 = P`, `PV1-2 in (I, E)`; no values: it has one at all."""

    source: Source
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Count:
    """`PID-11 count > 1`."""

    source: Field
    sign: str
    number: int


@dataclass(frozen=True, slots=True)
class Longer:
    """`PID-7 longer 8`: its text has more characters."""

    source: Source
    number: int


@dataclass(frozen=True, slots=True)
class Lacks:
    """`lacks valueQuantity`: the map has not made the element up to here."""

    element: str


@dataclass(frozen=True, slots=True)
class Has:
    """`has Encounter`: the message makes one."""

    resource: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions that hold together (`and`), one of which holds (`or`), or does not (`not`)."""

    by: Literal["and", "or", "not"]
    conditions: tuple[Condition, ...]


Condition = Compare | Count | Longer | Lacks | Has | Joined


class MapError(Unprocessable):
    """A map cannot be understood; the location names file, map and element."""


def wrong(place: str, message: str, **arguments: str) -> MapError:
    """An error in a map.

    Args:
        place: File, map and element.
        message: Stable message id.
        **arguments: For its words.
    """
    return MapError(Issue("error", "invalid", message, dict(arguments), place))


@lru_cache(maxsize=4096)
def expression(text: str, place: str) -> Expression:
    """Read an expression.

    Args:
        text: As it stands in the map.
        place: For errors.

    Raises:
        MapError: It does not follow the grammar.
    """
    reader = _Reader(text, place)
    found = reader.expression()
    reader.end()
    return found


@lru_cache(maxsize=1024)
def condition(text: str, place: str) -> Condition:
    """Read a condition; as `expression`."""
    reader = _Reader(text, place)
    found = reader.either()
    reader.end()
    return found


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, place: str) -> None:
        self.text, self.place = text, place
        self.tokens: list[str] = []
        # What stands in itself too often would go deeper than Python does.
        if len(text) > _LONGEST or text.count("(") > _MOST_BRACKETS:
            raise wrong(place, "hl7v2-map-long", limit=str(_LONGEST), brackets=str(_MOST_BRACKETS))
        position = 0
        stripped = text.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if match is None:
                raise self.fail(stripped[position:])
            self.tokens.append(match.group().strip())
            position = match.end()
        self.position = 0

    def fail(self, at: str) -> MapError:
        return wrong(self.place, "hl7v2-map-expression", text=self.text[:_SHOWN], at=at[:_SHOWN])

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise self.fail("")
        self.position += 1
        return token

    def skip(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.position += 1
        return True

    def end(self) -> None:
        if self.peek():
            raise self.fail(self.peek())

    def expression(self) -> Expression:
        source = self.source(self.take())
        datatype = target = table = ""
        otherwise: Expression | None = None
        held: Condition | None = None
        if self.skip("as"):
            match = _MAP.fullmatch(self.take())
            if match is None:
                raise self.fail(self.tokens[self.position - 1])
            datatype, target = match.group(1), match.group(2) or ""
        if self.skip("by"):
            table = self.take()
        if self.skip("or"):
            otherwise = self.expression()
            if otherwise.condition is not None:
                # `A or B if C`: the condition is of the whole.
                held = otherwise.condition
                otherwise = Expression(
                    otherwise.source,
                    otherwise.datatype,
                    otherwise.target,
                    otherwise.table,
                    otherwise.otherwise,
                )
        if self.skip("if"):
            held = self.either()
        return Expression(source, datatype, target, table, otherwise, held)

    def source(self, token: str) -> Source:
        if token == "ref":
            return Ref(self.take())
        if token[0] == "=" and len(token) > 1:
            return self.constant(token[1:])
        if token in MESSAGE_WORDS:
            return MessageWord(token)
        if token == "this":
            return Component("", 0)
        if match := _FIELD.fullmatch(token):
            segment, number, repetition, component, subcomponent = match.groups()
            return Field(
                segment,
                int(number),
                -1 if repetition == "*" else int(repetition or 0),
                int(component or 0),
                int(subcomponent or 0),
            )
        if match := _COMPONENT.fullmatch(token):
            return Component(match.group(1), int(match.group(2)), int(match.group(3) or 0))
        raise self.fail(token)

    def constant(self, text: str) -> Constant | Template:
        if text[0] == "'":
            text = text[1:-1].replace("''", "'")
        pieces = _HOLE.split(text)
        if len(pieces) == 1:
            return Constant(text)
        parts: list[str | tuple[Hole, ...]] = []
        for index, piece in enumerate(pieces):
            if index % 2 == 0:
                parts.append(piece)
                continue
            sources = [self.source(one.strip() or "?") for one in piece.split("|")]
            hole: list[Hole] = [
                one for one in sources if isinstance(one, Field | Component | MessageWord)
            ]
            if len(hole) < len(sources):
                raise self.fail(piece)
            parts.append(tuple(hole))
        return Template(tuple(parts))

    def either(self) -> Condition:
        found = [self.both()]
        while self.skip("or"):
            found.append(self.both())
        return found[0] if len(found) == 1 else Joined("or", tuple(found))

    def both(self) -> Condition:
        found = [self.one()]
        while self.skip("and"):
            found.append(self.one())
        return found[0] if len(found) == 1 else Joined("and", tuple(found))

    def one(self) -> Condition:
        if self.skip("not"):
            return Joined("not", (self.one(),))
        if self.skip("("):
            found = self.either()
            if not self.skip(")"):
                raise self.fail(self.peek())
            return found
        if self.skip("lacks"):
            return Lacks(self.take())
        if self.skip("has"):
            return Has(self.take())
        source = self.source(self.take())
        if self.skip("count"):
            return self.count(source)
        if self.skip("longer"):
            return Longer(source, self.number())
        if self.skip("="):
            return Compare(source, frozenset((self.literal(),)))
        if self.skip("!="):
            return Joined("not", (Compare(source, frozenset((self.literal(),))),))
        if self.skip("in"):
            return Compare(source, self.literals())
        if self.peek() == "not" and self.tokens[self.position + 1 : self.position + 2] == ["in"]:
            self.position += 2
            return Joined("not", (Compare(source, self.literals()),))
        return Compare(source)

    def count(self, source: Source) -> Condition:
        sign = self.take()
        if not isinstance(source, Field) or sign not in ("=", "<", ">"):
            raise self.fail(sign)
        return Count(source, sign, self.number())

    def number(self) -> int:
        token = self.take()
        if not token.isdecimal() or len(token) > 9:
            raise self.fail(token)
        return int(token)

    def literals(self) -> frozenset[str]:
        if not self.skip("("):
            raise self.fail(self.peek())
        found = [self.literal()]
        while self.skip(","):
            found.append(self.literal())
        if not self.skip(")"):
            raise self.fail(self.peek())
        return frozenset(found)

    def literal(self) -> str:
        token = self.take()
        if token in ("(", ")", ",") or token.startswith("="):
            raise self.fail(token)
        return token[1:-1].replace("''", "'") if token[0] == "'" else token
