"""UCUM units: grammar, canonical form and exact conversion (https://ucum.org/ucum, version 2.2).

A unit is a factor, kept as a fraction, times powers of base units; the table of units is
`ucum.toml`. The case-sensitive codes are read. Special units, whose scale is no factor (Cel,
[pH], B), stand alone or with a prefix. Called by quantity search, validation and FHIRPath.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

LONGEST = 256
_MOST_BITS = 20_000  # Of a factor: 10*300 has 1,000, hostile exponents far more.
_DEEPEST = 20
_LARGEST_MAGNITUDE = 10_000

_TOKEN = re.compile(
    r"(?P<annotation>\{[!-z|~]*\})"
    r"|(?P<mark>[./()])"
    r"|(?P<symbol>10[*^]|(?:[!#-',:-Z^-z|~]|\[[!-Z^-~]+\])+)(?P<exponent>[+-]?[0-9]+)?"
    r"|(?P<number>[1-9][0-9]*)"
)

Powers = dict[str, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit reduced to base units.

    Attributes:
        powers: Base unit (or arbitrary unit such as `[iU]`) and its exponent, in the table's
            order, none of them zero.
        factor: What one of the unit is in these; for a special unit, what its function's
            result is multiplied by.
        function: Key of `FUNCTIONS` for a special unit, else "".
        symbol: A special unit's code without prefix.
        prefix: Factor of a special unit's prefix.
        is_convertible: False for a special unit inside a product, which UCUM leaves undefined.
    """

    powers: tuple[tuple[str, int], ...]
    factor: Fraction
    function: str = ""
    symbol: str = ""
    prefix: Fraction = Fraction(1)
    is_convertible: bool = True

    @property
    def canonical(self) -> str:
        """The base units as a code, the numerator first: `g.m-3`; `1` for a number."""
        rows = sorted(self.powers, key=lambda row: row[1] < 0)
        return ".".join(name if power == 1 else f"{name}{power}" for name, power in rows) or "1"


Scale = Callable[[Decimal], Decimal]
_CONTEXT = Context(prec=50)


def _to_power(base: int, divisor: int = 1) -> Scale:
    return lambda value: _CONTEXT.power(base, _CONTEXT.divide(value, divisor))


def _logarithm(base: int, times: int = 1) -> Scale:
    scale = _CONTEXT.ln(Decimal(base))
    return lambda ratio: _CONTEXT.multiply(_CONTEXT.divide(_CONTEXT.ln(ratio), scale), times)


_DEGREES = Decimal(180) / Decimal("3.141592653589793238462643383")


def _arc_tangent(value: Decimal) -> Decimal:
    return Decimal(repr(math.atan(float(value) / 100)))


def _tangent(angle: Decimal) -> Decimal:
    return Decimal(repr(math.tan(float(angle)) * 100))


# A special unit's value to its ratio to the proper unit, and back.
FUNCTIONS: Mapping[str, tuple[Scale, Scale]] = {
    "Cel": (lambda v: v + Decimal("273.15"), lambda r: r - Decimal("273.15")),
    "degF": (lambda v: v + Decimal("459.67"), lambda r: r - Decimal("459.67")),
    "degRe": (lambda v: v + Decimal("218.52"), lambda r: r - Decimal("218.52")),
    "pH": (lambda v: _to_power(10)(-v), lambda r: -_logarithm(10)(r)),
    "hpX": (lambda v: _to_power(10)(-v), lambda r: -_logarithm(10)(r)),
    "hpC": (lambda v: _to_power(100)(-v), lambda r: -_logarithm(100)(r)),
    "hpM": (lambda v: _to_power(1000)(-v), lambda r: -_logarithm(1000)(r)),
    "hpQ": (lambda v: _to_power(50_000)(-v), lambda r: -_logarithm(50_000)(r)),
    "ln": (_CONTEXT.exp, _CONTEXT.ln),
    "lg": (_to_power(10), _logarithm(10)),
    "lgTimes2": (_to_power(10, 2), _logarithm(10, 2)),
    "ld": (_to_power(2), _logarithm(2)),
    "sqrt": (lambda v: _CONTEXT.multiply(v, v), _CONTEXT.sqrt),
    "tanTimes100": (_arc_tangent, _tangent),
    "100tan": (lambda v: _arc_tangent(v) * _DEGREES, lambda r: _tangent(r / _DEGREES)),
}
# Those whose scale keeps its order and has equal steps: canonical values go through them.
AFFINE = {"Cel": Decimal("273.15"), "degF": Decimal("459.67"), "degRe": Decimal("218.52")}


@dataclass(frozen=True, slots=True)
class _Table:
    base: tuple[str, ...]
    prefixes: Mapping[str, Fraction]
    rows: Mapping[str, Mapping[str, Any]]


@lru_cache(maxsize=1)
def _table() -> _Table:
    text = Path(__file__).with_name("ucum.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    prefixes = {name: Fraction(value) for name, value in content["prefix"].items()}
    return _Table(tuple(content["base"]), prefixes, content["unit"])


def _ordered(powers: Powers) -> tuple[tuple[str, int], ...]:
    base = _table().base
    present = [name for name in base if powers.get(name)]
    present += sorted(name for name in powers if powers[name] and name not in base)
    return tuple((name, powers[name]) for name in present)


@lru_cache(maxsize=1024)
def _atom(name: str) -> Unit | None:
    """A unit of the table, without prefix."""
    table = _table()
    if name in table.base:
        return Unit(((name, 1),), Fraction(1))
    row = table.rows.get(name)
    if row is None:
        return None
    worth = _Reader(row["unit"]).read()
    if row.get("arbitrary") and row["unit"] == "1":
        return Unit(((name, 1),), Fraction(1))
    factor = worth.factor * Fraction(row["value"])
    return Unit(worth.powers, factor, row.get("function", ""), name)


def _simple(symbol: str) -> Unit | None:
    """A unit with or without a prefix; a unit of that very name comes first."""
    unit = _atom(symbol) if symbol in _table().rows or symbol in _table().base else None
    if unit is not None:
        return unit
    for length in (2, 1):
        prefix = _table().prefixes.get(symbol[:length])
        rest = symbol[length:]
        if prefix is None or not (
            rest in _table().base or _table().rows.get(rest, {}).get("metric")
        ):
            continue
        unit = _atom(rest)
        if unit is not None:
            if unit.function:
                return Unit(unit.powers, unit.factor, unit.function, rest, prefix)
            return Unit(unit.powers, unit.factor * prefix)
    return None


class _Reader:
    """Recursive descent over the grammar of UCUM section 2; ValueError where it does not fit."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.place = 0
        self.depth = 0
        self.parts = 0
        self.powers: Powers = {}
        self.factor = Fraction(1)
        self.special: Unit | None = None

    def read(self) -> Unit:
        """The whole code as one unit."""
        self._term(1)
        if self.place != len(self.code):
            raise ValueError("not a UCUM unit")
        powers = _ordered(self.powers)
        if self.special is None:
            return Unit(powers, self.factor)
        if self.parts == 1 and self.factor == 1:
            return self.special
        return Unit(powers, self.factor, is_convertible=False)

    def _next(self, mark: str) -> bool:
        if self.code.startswith(mark, self.place):
            self.place += 1
            return True
        return False

    def _term(self, sign: int) -> None:
        """`/a.b/c`: division takes the next component only."""
        own = -sign if self._next("/") else sign
        self._component(own)
        while True:
            if self._next("."):
                own = sign
            elif self._next("/"):
                own = -sign
            else:
                return
            self._component(own)

    def _component(self, sign: int) -> None:
        if self._next("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise ValueError("nested too deep")
            self._term(sign)
            self.depth -= 1
            if not self._next(")"):
                raise ValueError("not a UCUM unit")
            self._annotation()
            return
        found = _TOKEN.match(self.code, self.place)
        if found is None or found["mark"]:
            raise ValueError("not a UCUM unit")
        self.place = found.end()
        self.parts += 1
        if found["annotation"]:
            return
        if found["number"]:
            self._multiply(Fraction(int(found["number"])), sign)
        else:
            self._unit(found["symbol"], found["exponent"], sign)
        self._annotation()

    def _annotation(self) -> None:
        found = _TOKEN.match(self.code, self.place)
        if found is not None and found["annotation"]:
            self.place = found.end()

    def _unit(self, symbol: str, exponent: str | None, sign: int) -> None:
        unit = _simple(symbol)
        if unit is None or (exponent is not None and len(exponent) > 5):
            raise ValueError("not a UCUM unit")
        power = int(exponent or 1) * sign
        for name, own in unit.powers:
            self.powers[name] = self.powers.get(name, 0) + own * power
        if unit.function:
            self.special = unit
            self.parts += power != 1
        else:
            self._multiply(unit.factor, power)

    def _multiply(self, factor: Fraction, power: int) -> None:
        bits = max(factor.numerator.bit_length(), factor.denominator.bit_length())
        if factor == 0 or bits * abs(power) > _MOST_BITS:
            raise ValueError("factor out of range")
        self.factor *= factor**power
        if max(self.factor.numerator, self.factor.denominator).bit_length() > _MOST_BITS:
            raise ValueError("factor out of range")


@lru_cache(maxsize=4096)
def _read(code: str) -> Unit | None:
    try:
        return _Reader(code).read()
    except ValueError:
        return None


def parse(code: str) -> Unit | None:
    """Read a unit.

    Args:
        code: Case-sensitive UCUM code, as `mmol/L` or `10*9/L`.

    Returns:
        None if it is none.
    """
    return None if not code or len(code) > LONGEST else _read(code)


def is_valid(code: str) -> bool:
    """Whether a text is a UCUM code."""
    return parse(code) is not None


def comparable(one: str, other: str) -> bool:
    """Whether values of two units can be converted into each other."""
    first, second = parse(one), parse(other)
    return (
        first is not None
        and second is not None
        and first.powers == second.powers
        and first.is_convertible
        and second.is_convertible
    )


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """Convert a value, rounded to 50 digits.

    Args:
        value: In `source`.
        source: UCUM code.
        target: UCUM code.

    Raises:
        ValueError: A code is not known, the two do not measure the same thing, or the value has
            no image (the logarithm of a negative number).
    """
    first, second = parse(source), parse(target)
    if first is None or second is None or not comparable(source, target):
        raise ValueError("the units cannot be converted into each other")
    if abs(value.adjusted()) > _LARGEST_MAGNITUDE:
        raise ValueError("the value is out of range")
    try:
        ratio = Fraction(value) * first.prefix
        if first.function:
            ratio = Fraction(FUNCTIONS[first.function][0](_decimal(ratio)))
        ratio = ratio * first.factor / second.factor
        if second.function:
            ratio = Fraction(FUNCTIONS[second.function][1](_decimal(ratio)))
        return _decimal(ratio / second.prefix)
    except (ArithmeticError, OverflowError) as error:
        raise ValueError("the value cannot be converted") from error


def _decimal(value: Fraction) -> Decimal:
    """The fraction rounded to 50 digits."""
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
