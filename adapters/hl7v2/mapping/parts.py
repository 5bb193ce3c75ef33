"""Parts of a map as closures: how objects, lists and alternatives are put together.

`Part.made` gives what comes from the message, `Part.given` what stands there anyway (constants,
defaults); an object of which nothing was made is left out. With `trace` the closures keep where in
the resource they are. Called by `adapters.hl7v2.mapping.compiler` and its like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.shapes import impossible
from adapters.hl7v2.mapping.values import Base, Holds

Make = Callable[[Run, Base, int], Any]
Convert = Callable[[Run, str, int], Any]
"""(run, raw text, how deep it is) to a value; None: nothing."""

_FEW = 200


class Part(NamedTuple):
    """A value of a map.

    Attributes:
        made: From the message; None when it is constant.
        given: Without the message, or when it says nothing; None for nothing.
    """

    made: Make | None
    given: Make | None = None


class Member(NamedTuple):
    """An element of an object.

    Attributes:
        name: Of the element.
        made, given: As `Part`.
        mask: Bits of the fields or components it is made of; 0: it must always be looked at.
    """

    name: str
    made: Make | None
    given: Make | None
    mask: int


def bits(base: Base, first: int) -> int:
    """Which fields or components have a text.

    Args:
        base: Their texts.
        first: Number of the first: 0 for the fields of a segment, 1 for components.
    """
    if len(base) > _FEW:  # Shifting bit by bit is quadratic, and a sender may write millions.
        return int("".join("1" if text else "0" for text in reversed(base)), 2) << first
    found, bit = 0, 1 << first
    for text in base:
        if text:
            found |= bit
        bit <<= 1
    return found


def always(value: Any) -> Make:
    """A constant; objects and lists are new every time, since others write into them."""
    if isinstance(value, dict):
        members = [(name, always(inner)) for name, inner in value.items()]
        return lambda run, base, depth: {name: make(run, base, depth) for name, make in members}
    if isinstance(value, list):
        items = [always(inner) for inner in value]
        return lambda run, base, depth: [make(run, base, depth) for make in items]
    return lambda run, base, depth: value


def either(first: Make | None, second: Make | None) -> Make | None:
    """The first that gives something."""
    if first is None or second is None:
        return first or second
    if impossible in (first, second):
        return second if first is impossible else first

    def make(run: Run, base: Base, depth: int) -> Any:
        value = first(run, base, depth)
        return second(run, base, depth) if value is None else value

    return make


def possible(make: Make | None) -> Make | None:
    """None for what is never made."""
    return None if make is impossible else make


def only_if(condition: Holds | None, make: Make | None) -> Make | None:
    """Nothing unless a condition holds; None: it always does."""
    if make is None or condition is None:
        return make
    if impossible in (condition, make):
        return impossible

    def conditional(run: Run, base: Base, depth: int) -> Any:
        return make(run, base, depth) if condition(run, base, depth) else None

    return conditional


def at(step: str, make: Make | None) -> Make | None:
    """While tracing: one step into the resource."""
    if make is None:
        return None

    def stepped(run: Run, base: Base, depth: int) -> Any:
        run.path.append(step)
        try:
            return make(run, base, depth)
        finally:
            run.path.pop()

    return stepped


def members(named: Sequence[tuple[str, Part, int]], trace: bool) -> tuple[Member, ...]:
    """Elements of an object, each with its step while tracing."""
    return tuple(
        Member(
            name,
            at(f".{name}", part.made) if trace else possible(part.made),
            at(f".{name}", part.given) if trace else part.given,
            mask,
        )
        for name, part, mask in named
        if part.made is not impossible or part.given not in (None, impossible)
    )


def fill(run: Run, base: Base, depth: int, of: Sequence[Member], out: dict[str, Any]) -> bool:
    """Make the elements that an object does not have; True if one came from the message."""
    sourced = False
    present = run.present
    for name, made, given, mask in of:
        if name in out:
            continue
        value = None
        if made is not None and (not mask or mask & present):
            value = made(run, base, depth)
        if value is not None:
            sourced = True
        elif given is not None:
            value = given(run, base, depth)
            if value is None:
                continue
        else:
            continue
        out[name] = value
    return sourced


def object_of(named: Sequence[tuple[str, Part, int]], trace: bool) -> Part:
    """An object; a constant when all its elements are."""
    of = members(named, trace)
    constant = all(part.made is None for _, part, _ in named)
    if not constant and all(member.made is None for member in of):
        return Part(impossible)

    def made(run: Run, base: Base, depth: int) -> Any:
        out: dict[str, Any] = {}
        return out if fill(run, base, depth, of, out) else None

    def given(run: Run, base: Base, depth: int) -> Any:
        out: dict[str, Any] = {}
        fill(run, base, depth, of, out)
        return out or None

    return Part(None, given) if constant else Part(made)


def first_of(parts: Sequence[tuple[Part, int]]) -> Part:
    """The first that gives something; each with its mask, as in `Member`."""
    last = max((n for n, (part, _) in enumerate(parts) if part.made is not None), default=-1)
    steps: list[tuple[int, Make]] = []
    given: Make | None = None
    for part, mask in parts[: last + 1]:
        if part.made not in (None, impossible):
            steps.append((mask, part.made))
        if part.given not in (None, impossible):  # It stands before what comes from the message.
            steps.append((0, part.given))
    for part, _ in reversed(parts[last + 1 :]):
        given = either(part.given, given)

    def made(run: Run, base: Base, depth: int) -> Any:
        present = run.present
        for mask, make in steps:
            if not mask or mask & present:
                value = make(run, base, depth)
                if value is not None:
                    return value
        return None

    if last >= 0 and not steps:
        return Part(impossible, given)
    return Part(made if steps else None, given)


Extend = Callable[[Run, Base, int, list[Any]], bool]
"""Adds items to a list; True if one came from the message."""


def one_item(part: Part, trace: bool) -> Extend:
    """An item of a list that is there at most once."""
    made, given = part

    def extend(run: Run, base: Base, depth: int, out: list[Any]) -> bool:
        if trace:
            run.path.append(f"[{len(out)}]")
        value = None if made is None else made(run, base, depth)
        sourced = value is not None
        if value is None and given is not None:
            value = given(run, base, depth)
        if trace:
            run.path.pop()
        if value is not None:
            out.append(value)
        return sourced

    return extend


def for_each(
    repetitions: Callable[[Run, Base], list[str]],
    make: Make,
    condition: Holds | None,
    trace: bool,
) -> Extend:
    """An item for each repetition of a field, which is the newest of `Run.loops` meanwhile.

    Args:
        repetitions: Their raw texts.
        make: Makes an item.
        condition: Without it there are none; None: always.
        trace: Keep where in the resource an item is.
    """

    def extend(run: Run, base: Base, depth: int, out: list[Any]) -> bool:
        texts = repetitions(run, base)
        if not texts or (condition is not None and not condition(run, base, depth)):
            return False
        sourced = False
        loops = run.loops
        loops.append("")
        for number, text in enumerate(texts, 1):
            loops[-1] = text
            if trace:
                run.path.append(f"[{len(out)}]")
                run.turn = number if len(texts) > 1 else 0
            value = make(run, base, depth) if text else None
            if trace:
                run.path.pop()
            if value is not None:
                out.append(value)
                sourced = True
        loops.pop()
        run.turn = 0
        return sourced

    return extend


def list_of(items: Sequence[tuple[Extend, int]], constant: bool, gives: bool) -> Part:
    """A list.

    Args:
        items: Each with its mask, as in `Member`.
        constant: All of them are.
        gives: One of them stands there without the message.
    """

    def made(run: Run, base: Base, depth: int) -> Any:
        out: list[Any] = []
        sourced = False
        present = run.present
        for extend, mask in items:
            if not mask or mask & present:
                sourced |= extend(run, base, depth, out)
        return out if sourced else None

    def given(run: Run, base: Base, depth: int) -> Any:
        out: list[Any] = []
        for extend, _ in items:
            extend(run, base, depth, out)
        return out or None

    if not constant and not items:
        return Part(impossible)
    return Part(None, given) if constant else Part(made, given if gives else None)


def merge(into: dict[str, Any], name: str, value: Any) -> None:
    """A later map's element into a resource: lists grow, objects are merged, others replaced."""
    there = into.get(name)
    if isinstance(there, list) and isinstance(value, list):
        # Twice the same identifier in two fields is one; long lists (results) are not searched.
        if len(there) < 32:
            value = [item for item in value if item not in there]
        there.extend(value)
    elif isinstance(there, dict) and isinstance(value, dict):
        for inner, inner_value in value.items():
            merge(there, inner, inner_value)
    else:
        into[name] = value
