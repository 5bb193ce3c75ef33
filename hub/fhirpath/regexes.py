"""Regular expressions from expressions, run so that none can hang the hub.

For matches(), matchesFull() and replaceMatches() of http://hl7.org/fhirpath/N1/#matches. Python's
engine backtracks: a hostile pattern can take forever on a short text. So each pattern is
weighed first. One whose cost on the text at hand is bounded runs in `re`. For another, whether
it matches is found by walking all its states at once (linear time); its replacement is refused.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

# The module behind `re.compile`; its tree spares a second parser of patterns.
_sre: Any = importlib.import_module("re._parser")

MAX_PATTERN = 1_000
MAX_GROUPS = 60
MAX_COST = 20_000_000
MAX_STATES = 4_000
MAX_WALK = 3_000_000

Predicate = Callable[[str], bool]


class CostlyPattern(Exception):
    """The pattern could take too long on this text."""


# --- weighing --------------------------------------------------------------------------------


def _children(operator: str, argument: Any) -> list[Any]:
    """The sequences inside one node of the tree."""
    if operator == "SUBPATTERN":
        return [argument[-1]]
    if operator == "BRANCH":
        return list(argument[1])
    if operator in _REPEATS:
        return [argument[2]]
    if operator in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if operator == "ATOMIC_GROUP":
        return [argument]
    if operator == "GROUPREF_EXISTS":
        return [part for part in argument[1:] if part is not None]
    return []


_REPEATS = frozenset(["MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"])


def _varies(sequence: Any) -> bool:
    """Whether a sequence can match the same text in more ways than one, roughly."""
    for operator, argument in sequence:
        name = str(operator)
        if name == "BRANCH" or (name in _REPEATS and argument[0] != argument[1]):
            return True
        if any(_varies(part) for part in _children(name, argument)):
            return True
    return False


def _weigh(sequence: Any) -> int | None:
    """Power of the text's length that backtracking can cost; None: exponential."""
    total = 0
    for operator, argument in sequence:
        name = str(operator)
        if name in ("GROUPREF", "GROUPREF_EXISTS"):
            return None
        inner = [_weigh(part) for part in _children(name, argument)]
        if None in inner:
            return None
        own = max((power for power in inner if power is not None), default=0)
        if name in _REPEATS:
            # `(.*a){25}` is as `.*a.*a.*a` and so on.
            own *= min(int(argument[1]), _MANY)
            if argument[0] != argument[1]:
                if _varies(argument[2]):
                    return None
                own += int(argument[1]) > _SMALL_REPEAT
        total += own
    return total


_SMALL_REPEAT = 8
_MANY = 1_000
"""Power beyond which nothing is affordable."""


# --- walking all states ----------------------------------------------------------------------


@dataclass(slots=True)
class _Machine:
    """States without backtracking: from each, a character leads on or nothing does.

    Attributes:
        tests: Per state: the test of the character it takes, or None.
        next: Per state: the states it leads to, after its character or at once.
        places: Per state: "^", "$" or "Z" where it only passes at that place; "$" is the end
            and also before a line feed that ends the text.
    """

    tests: list[Predicate | None] = field(default_factory=list)
    next: list[list[int]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def state(self, test: Predicate | None = None, place: str = "") -> int:
        if len(self.tests) >= MAX_STATES:
            raise CostlyPattern
        self.tests.append(test)
        self.next.append([])
        self.places.append(place)
        return len(self.tests) - 1


def _in_class(items: Sequence[tuple[Any, Any]]) -> Predicate:
    tests: list[Predicate] = []
    negated = False
    for operator, argument in items:
        name = str(operator)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            tests.append(chr(argument).__eq__)
        elif name == "RANGE":
            tests.append(_in_range(chr(argument[0]), chr(argument[1])))
        else:
            tests.append(_category(str(argument)))
    return lambda character: any(test(character) for test in tests) is not negated


def _in_range(low: str, high: str) -> Predicate:
    return lambda character: low <= character <= high


_CATEGORIES: dict[str, Predicate] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_WORD": lambda character: character.isalnum() or character == "_",
}


def _category(name: str) -> Predicate:
    positive = _CATEGORIES.get(name.replace("_NOT_", "_"))
    if positive is None:
        raise CostlyPattern
    if "_NOT_" in name:
        return lambda character: not positive(character)
    return positive


def _test(name: str, argument: Any) -> Predicate | None:
    if name == "LITERAL":
        return chr(argument).__eq__
    if name == "NOT_LITERAL":
        return chr(argument).__ne__
    if name == "ANY":
        return lambda _character: True
    return _in_class(argument) if name == "IN" else None


_PLACES = {
    "AT_BEGINNING": "^",
    "AT_BEGINNING_STRING": "^",
    "AT_END": "$",
    "AT_END_STRING": "Z",
}


def _add(machine: _Machine, sequence: Any, start: int) -> int:
    """Append the states of a sequence; returns its last state."""
    for operator, argument in sequence:
        name = str(operator)
        test = _test(name, argument)
        if test is not None:
            taking = machine.state(test)
            machine.next[start].append(taking)
            start = machine.state()
            machine.next[taking].append(start)
        elif name == "AT" and str(argument) in _PLACES:
            passing = machine.state(place=_PLACES[str(argument)])
            machine.next[start].append(passing)
            start = machine.state()
            machine.next[passing].append(start)
        elif name == "SUBPATTERN":
            start = _add(machine, argument[-1], start)
        elif name == "BRANCH":
            ends = [_add(machine, part, _after(machine, start)) for part in argument[1]]
            start = machine.state()
            for end in ends:
                machine.next[end].append(start)
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            start = _repeat(machine, argument, start)
        else:
            raise CostlyPattern
    return start


def _after(machine: _Machine, state: int) -> int:
    following = machine.state()
    machine.next[state].append(following)
    return following


def _repeat(machine: _Machine, argument: Any, start: int) -> int:
    least, most, body = argument
    for _ in range(least):
        start = _add(machine, body, start)
    if most == _sre.MAXREPEAT:
        loop = _after(machine, start)
        end = _add(machine, body, loop)
        machine.next[end].append(loop)
        return _after(machine, loop)
    ends = [start]
    for _ in range(most - least):
        start = _add(machine, body, start)
        ends.append(start)
    final = machine.state()
    for end in ends:
        machine.next[end].append(final)
    return final


def _places(text: str, place: int) -> str:
    """The anchors that hold at a place of the text."""
    left = len(text) - place
    end = "$Z" if not left else "$" if left == 1 and text[-1] == "\n" else ""
    return end if place else "^" + end


def _closure(machine: _Machine, states: set[int], here: str) -> set[int]:
    """All states reached without taking a character, where the anchors of `here` hold."""
    seen: set[int] = set()
    stack = list(states)
    while stack:
        state = stack.pop()
        if state in seen:
            continue
        seen.add(state)
        place = machine.places[state]
        if machine.tests[state] is None and place in here:
            stack.extend(machine.next[state])
    return seen


def _walk(machine: _Machine, final: int, text: str, full: bool) -> bool:
    if len(text) * len(machine.tests) > MAX_WALK:
        raise CostlyPattern
    current = _closure(machine, {0}, _places(text, 0))
    for place, character in enumerate(text):
        if not full and final in current:
            return True
        following = {
            target
            for state in current
            if (test := machine.tests[state]) is not None and test(character)
            for target in machine.next[state]
        }
        if not full:
            following.add(0)
        current = _closure(machine, following, _places(text, place + 1))
        if not current:
            return False
    return final in current


# --- the door --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pattern:
    """A weighed regular expression.

    Attributes:
        compiled: For `re`.
        power: Power of the text's length it can cost; None: exponential.
        machine: The states, for a pattern that is too costly for `re`.
    """

    compiled: re.Pattern[str]
    power: int | None
    tree: Any

    def _affordable(self, length: int) -> bool:
        return self.power is not None and (length + 1) ** (self.power + 1) <= MAX_COST

    def matches(self, text: str, full: bool) -> bool:
        """Whether some part of the text, or all of it, matches.

        Raises:
            CostlyPattern: It cannot be told in reasonable time.
        """
        if self._affordable(len(text)):
            found = self.compiled.fullmatch(text) if full else self.compiled.search(text)
            return found is not None
        machine, final = _machine(self)
        return _walk(machine, final, text, full)

    def replace(self, text: str, substitution: str, longest: int) -> str:
        """The text with each match replaced; `$1` and `${name}` stand for groups.

        Raises:
            CostlyPattern: It could take too long, or grow over `longest` characters.
            ValueError: The substitution names a group the pattern does not have.
        """
        if not self.compiled.pattern:
            return text
        if not self._affordable(len(text)) or (len(text) + 1) * len(substitution) > longest:
            raise CostlyPattern
        template = re.sub(
            r"\$(?:(\d{1,2})|\{(\w{1,40})\})",
            lambda match: rf"\g<{match[1] or match[2]}>",
            substitution.replace("\\", r"\\"),
        )
        try:
            return self.compiled.sub(template, text)
        except (re.error, IndexError) as problem:
            raise ValueError("no such group") from problem


@lru_cache(maxsize=256)
def _machine(pattern: Pattern) -> tuple[_Machine, int]:
    if pattern.compiled.flags & re.IGNORECASE:
        raise CostlyPattern
    machine = _Machine()
    final = _add(machine, pattern.tree, machine.state())
    return machine, final


@lru_cache(maxsize=512)
def weighed(pattern: str, flags: str = "") -> Pattern:
    """Compile and weigh a pattern; the dot takes line ends too.

    Args:
        pattern: As PCRE has it, as far as Python does.
        flags: `i` and `m` of the current build of the language.

    Raises:
        ValueError: It is no regular expression, or too long.
    """
    if len(pattern) > MAX_PATTERN or pattern.count("(") > MAX_GROUPS:
        raise ValueError("pattern too long")
    options = re.DOTALL
    for flag in flags:
        option = {"i": re.IGNORECASE, "m": re.MULTILINE}.get(flag)
        if option is None:
            raise ValueError("unknown flag")
        options |= option
    try:
        tree = _sre.parse(pattern, options)
        return Pattern(re.compile(pattern, options), _weigh(tree), _Tree(tree))
    except (re.error, RecursionError, OverflowError) as problem:
        raise ValueError("not a regular expression") from problem


class _Tree:
    """The parsed pattern, hashable by identity so that a Pattern can be a cache key."""

    def __init__(self, sequence: Any) -> None:
        self.sequence = sequence

    def __iter__(self) -> Any:
        return iter(self.sequence)
