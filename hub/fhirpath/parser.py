"""Parses FHIRPath text into the tree of `hub.fhirpath.syntax`.

Precedence climbing over the grammar (http://hl7.org/fhirpath/N1/grammar.html). Called by
`compile`. Hostile text ends in FHIRPathSyntaxError: nesting, length and the height of the
tree are bounded, so neither parsing nor anything that walks the tree can run out of stack.
"""

from __future__ import annotations

from decimal import Decimal

from hub.fhirpath import syntax
from hub.fhirpath.errors import FHIRPathSyntaxError
from hub.fhirpath.lexer import Token, tokens
from hub.fhirpath.temporal import Kind, parse

MAX_NESTING = 48
MAX_HEIGHT = 128
MAX_INTEGER = 2**31 - 1
MAX_DIGITS = 28

# Binding power of the binary operators; polarity binds tighter than all of them.
_POWER = {
    "*": 11, "/": 11, "div": 11, "mod": 11,
    "+": 10, "-": 10, "&": 10,
    "is": 9, "as": 9,
    "|": 8,
    "<=": 7, "<": 7, ">": 7, ">=": 7,
    "=": 6, "~": 6, "!=": 6, "!~": 6,
    "in": 5, "contains": 5,
    "and": 4,
    "or": 3, "xor": 3,
    "implies": 2,
}  # fmt: skip
_POLARITY = 12
_SERIES = frozenset(["|", "and", "or"])
_CALENDAR = frozenset(
    unit + plural
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
)
_TEMPORAL: dict[str, Kind] = {"date": "Date", "datetime": "DateTime", "time": "Time"}


class _Parser:
    """One pass over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.index = 0
        self.nesting = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.tokens[self.index]
        self.index += 1
        return token

    def at(self, symbol: str) -> bool:
        token = self.tokens[self.index]
        return token.kind == "symbol" and token.text == symbol

    def accept(self, symbol: str) -> bool:
        if self.at(symbol):
            self.index += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise self.unexpected(f"'{symbol}'")

    def unexpected(self, expected: str) -> FHIRPathSyntaxError:
        token = self.token
        found = "the end" if token.kind == "end" else ascii(token.text[:40])
        return FHIRPathSyntaxError(
            "fhirpath-unexpected-token", token.position, found=found, expected=expected
        )

    def too_deep(self, limit: int) -> FHIRPathSyntaxError:
        return FHIRPathSyntaxError("fhirpath-too-deep", self.token.position, limit=limit)

    def nested(self) -> tuple[syntax.Node, int]:
        """An expression inside brackets, with its height."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.too_deep(MAX_NESTING)
        found = self.expression(0)
        self.nesting -= 1
        return found

    def operator(self) -> str | None:
        """The binary operator at this token, if it is one."""
        token = self.token
        if token.kind in ("symbol", "word") and token.text in _POWER:
            return token.text
        return None

    def expression(self, power: int) -> tuple[syntax.Node, int]:
        """Whatever binds tighter than `power`, with the height of its tree."""
        left, height = self.polarity()
        while (operator := self.operator()) is not None and _POWER[operator] > power:
            position = self.take().position
            if operator in ("is", "as"):
                left = syntax.TypeOperation(operator, left, self.type_name(), position=position)
                height += 1
            elif operator in _SERIES:
                left, height = self.series(operator, left, height)
            else:
                right, right_height = self.expression(_POWER[operator])
                left = syntax.Binary(operator, left, right, position=position)
                height = max(height, right_height) + 1
            if height > MAX_HEIGHT:
                raise self.too_deep(MAX_HEIGHT)
        return left, height

    def series(self, operator: str, first: syntax.Node, height: int) -> tuple[syntax.Node, int]:
        """All operands of a run of one associative operator; the first operator is taken."""
        operands = [first]
        position = self.tokens[self.index - 1].position
        while True:
            operand, operand_height = self.expression(_POWER[operator])
            operands.append(operand)
            height = max(height, operand_height)
            if self.operator() != operator:
                return syntax.Series(operator, tuple(operands), position=position), height + 1
            self.take()

    def polarity(self) -> tuple[syntax.Node, int]:
        signs: list[Token] = []
        while self.at("-") or self.at("+"):
            signs.append(self.take())
        if not signs:
            return self.postfix()
        node, height = self.expression(_POLARITY)
        for sign in reversed(signs):
            node = syntax.Polarity(sign.text, node, position=sign.position)
        height += len(signs)
        if height > MAX_HEIGHT:
            raise self.too_deep(MAX_HEIGHT)
        return node, height

    def postfix(self) -> tuple[syntax.Node, int]:
        """A term followed by any number of `.name`, `.name(...)` and `[...]`."""
        node, height = self.term()
        while True:
            position = self.token.position
            if self.accept("."):
                node, below = self.invocation(node)
            elif self.accept("["):
                index, below = self.nested()
                self.expect("]")
                node = syntax.Indexer(node, index, position=position)
            else:
                return node, height
            height = max(height, below) + 1
            if height > MAX_HEIGHT:
                raise self.too_deep(MAX_HEIGHT)

    def invocation(self, source: syntax.Node | None) -> tuple[syntax.Node, int]:
        token = self.token
        if token.kind == "special" and source is not None:
            raise self.unexpected("an element or a function")
        if token.kind not in ("word", "delimited"):
            raise self.unexpected("an element or a function")
        self.take()
        if not self.accept("("):
            return syntax.Member(source, token.text, position=token.position), 1
        arguments: list[syntax.Node] = []
        height = 0
        if not self.accept(")"):
            while True:
                argument, below = self.argument(token.text)
                arguments.append(argument)
                height = max(height, below)
                if self.accept(")"):
                    break
                if not self.accept(","):
                    raise self.unexpected("',' or ')'")
        call = syntax.Call(source, token.text, tuple(arguments), position=token.position)
        return call, height + 1

    def argument(self, function: str) -> tuple[syntax.Node, int]:
        node, height = self.nested()
        if function == "sort" and self.token.kind == "word" and self.token.text in ("asc", "desc"):
            word = self.take()
            return syntax.SortKey(node, word.text == "desc", position=word.position), height + 1
        return node, height

    def term(self) -> tuple[syntax.Node, int]:
        token = self.token
        position = token.position
        if token.kind == "symbol":
            return self.bracketed()
        if token.kind == "word" and token.text in ("true", "false"):
            self.take()
            return syntax.Literal(token.text == "true", position=position), 1
        if token.kind == "word" and token.text in syntax.KEYWORDS - {"as", "in", "is", "contains"}:
            raise self.unexpected("a value")
        if token.kind in ("word", "delimited"):
            return self.invocation(None)
        self.take()
        if token.kind == "special":
            return syntax.Special(token.text[1:], position=position), 1
        if token.kind == "string":
            return syntax.Literal(token.text, position=position), 1
        if token.kind in _TEMPORAL:
            return self.temporal(token), 1
        if token.kind in ("integer", "decimal"):
            return self.number(token), 1
        self.index -= 1
        raise self.unexpected("a value")

    def bracketed(self) -> tuple[syntax.Node, int]:
        position = self.token.position
        if self.accept("("):
            found = self.nested()
            self.expect(")")
            return found
        if self.accept("{"):
            self.expect("}")
            return syntax.Empty(position=position), 1
        if self.accept("%"):
            if self.token.kind not in ("word", "delimited", "string"):
                raise self.unexpected("the name of a variable")
            return syntax.Variable(self.take().text, position=position), 1
        raise self.unexpected("a value")

    def temporal(self, token: Token) -> syntax.Node:
        kind = _TEMPORAL[token.kind]
        text = token.text[2:] if kind == "Time" else token.text[1:]
        value = parse(text, kind)
        if value is None:
            raise FHIRPathSyntaxError("fhirpath-bad-literal", token.position, what=kind)
        return syntax.Literal(value, position=token.position)

    def number(self, token: Token) -> syntax.Node:
        if len(token.text) > MAX_DIGITS + 1:
            raise FHIRPathSyntaxError("fhirpath-bad-literal", token.position, what="number")
        unit = self.token
        if unit.kind == "string":
            self.take()
            return syntax.QuantityLiteral(
                Decimal(token.text), unit.text, False, position=token.position
            )
        if unit.kind == "word" and unit.text in _CALENDAR:
            self.take()
            return syntax.QuantityLiteral(
                Decimal(token.text), unit.text, True, position=token.position
            )
        if token.kind == "decimal":
            return syntax.Literal(Decimal(token.text), position=token.position)
        value = int(token.text)
        if value > MAX_INTEGER:
            raise FHIRPathSyntaxError("fhirpath-bad-literal", token.position, what="integer")
        return syntax.Literal(value, position=token.position)

    def type_name(self) -> str:
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return ".".join(parts)

    def identifier(self) -> str:
        if self.token.kind not in ("word", "delimited"):
            raise self.unexpected("the name of a type")
        return self.take().text


def parse_expression(text: str) -> syntax.Node:
    """The syntax tree of an expression.

    Args:
        text: FHIRPath; at most `lexer.MAX_LENGTH` characters.

    Raises:
        FHIRPathSyntaxError: It is not FHIRPath, or too long or deep to be taken.
    """
    parser = _Parser(text)
    tree, _ = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.unexpected("the end")
    return tree
