"""Datatype maps that make a resource: the value is a reference to it.

A Practitioner of XCN, an Organization of XON, the Locations of PL. Called by
`adapters.hl7v2.mapping.datatype_maps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from adapters.hl7v2.converted import How, Mapped, Source
from adapters.hl7v2.mapping.conversions import identity_pairs
from adapters.hl7v2.mapping.elements import Place
from adapters.hl7v2.mapping.grammar import wrong
from adapters.hl7v2.mapping.memory import LONGEST, Copy, copies
from adapters.hl7v2.mapping.parts import Make, Member, fill
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.values import Base, Frame, Holds
from hub.definitions import is_resource_type

if TYPE_CHECKING:
    from adapters.hl7v2.mapping.compiler import Compiler

WORDS = frozenset(
    {
        "$resource",
        "$when",
        "$how",
        "$identities",
        "$display",
        "$unless_identified",
        "$initial",
    }
)


class Referred(NamedTuple):
    """A compiled map; most attributes are the words with a dollar.

    Attributes:
        name: Of the map.
        type: Of the resource.
        only_shown: Without an identifier only the display stands in the reference.
        trace: The closures note where elements came from.
        members: True: it follows from the text alone.
        known_by_text: So do `identities`.
        key: Its own in `Run.memo`.
    """

    name: str
    type: str
    members: tuple[tuple[Member, bool], ...]
    when: Holds | None
    how: How
    identities: Make | None
    display: Make | None
    only_shown: bool
    initial: frozenset[str]
    trace: bool
    known_by_text: bool
    key: object


def referred(compiler: Compiler, content: Mapping[str, Any], frame: Frame) -> Make:
    """A map with `$resource`.

    Args:
        compiler: Of the site.
        content: Its YAML.
        frame: Where it stands.

    Raises:
        MapError: It does not fit.
    """
    resource_type = str(content["$resource"])
    if not is_resource_type(resource_type):
        raise wrong(frame.place, "hl7v2-map-type", written=resource_type)
    place = Place(resource_type, resource_type, False, False)
    found: list[tuple[Member, bool]] = []
    words = {key: node for key, node in content.items() if key.startswith("$")}
    for name, node in content.items():
        if name not in words:
            with compiler.uses_apart() as uses:
                made = compiler.members_of({**words, name: node}, place, frame, WORDS)
            found += [(member, uses.pure and not compiler.trace) for member in made]
    with compiler.uses_apart() as uses:
        identities = compiler.identities(content.get("$identities"), frame)
    rules = Referred(
        frame.place,
        resource_type,
        tuple(found),
        compiler.condition(content.get("$when"), frame),
        content.get("$how", "find"),
        identities,
        compiler.value(
            content.get("$display", []),
            Place("string", "string", False, True),
            frame._replace(place=f"{frame.place} $display"),
            plain=True,
        ).made,
        content.get("$unless_identified") == "display",
        frozenset(content.get("$initial", ())),
        compiler.trace,
        uses.pure and all(pure for member, pure in found if member.name == "identifier"),
        object(),
    )

    def make(run: Run, base: Base, depth: int) -> Any:
        if rules.when is not None and not rules.when(run, base, depth):
            return None
        path, notes = run.path, run.notes
        run.path, run.notes = [], []
        display = None if rules.display is None else rules.display(run, base, depth)
        # The same text is the same resource, in whichever field of the message.
        text = (rules.name, "", run.split[depth - 1].join(base))
        mapped = run.identified.get(text)
        if mapped is None:
            run.notes = []
            mapped = _find_or_add(run, rules, base, depth, text[2])
            if mapped is not None:
                run.identified[text] = mapped
        run.path, run.notes = path, notes
        if mapped is None:
            return {"display": display} if display and rules.only_shown else None
        if display:
            return {"reference": mapped.full_url, "display": display}
        return {"reference": mapped.full_url}

    return make


def _find_or_add(run: Run, rules: Referred, base: Base, depth: int, text: str) -> Mapped | None:
    """The resource, made unless another text of the message has made it; None: there is none."""
    parts = _parts(run, rules, base, depth, text)
    resource: dict[str, Any] = {"resourceType": rules.type}
    sourced = parts.sourced
    for (member, pure), (value, copy) in zip(rules.members, parts.values, strict=True):
        if not pure:
            sourced |= fill(run, base, depth, (member,), resource)
        elif copy is not None:
            resource[member.name] = copy()
        elif value is not None:
            resource[member.name] = value
    if not sourced:
        return None
    notes, run.notes = run.notes, []
    pairs = parts.pairs
    if pairs is None:
        pairs = _pairs(run, rules, base, depth, resource)
    if not pairs and rules.only_shown:
        return None
    same = run.identified.get((rules.type, *pairs[0])) if pairs else None
    if same is not None:
        return same
    mapped = run.add(resource, numbered=True)
    mapped.how, mapped.identities = rules.how, pairs
    mapped.initial = rules.initial.intersection(resource)
    segment = run.segment
    where = f"{segment.name}[{segment.ordinal}]"
    mapped.sources = notes if rules.trace else [Source("", where, run.label)]
    if pairs:
        run.identified[(rules.type, *pairs[0])] = mapped
    return mapped


class _Parts(NamedTuple):
    """What of a resource follows from a text alone.

    Attributes:
        values: Of the members in their order, and what copies them.
        sourced: One of them came from the text.
        pairs: Its identities; None: they follow from more.
    """

    values: tuple[tuple[Any, Copy | None], ...]
    sourced: bool
    pairs: tuple[tuple[str, str], ...] | None


def _parts(run: Run, rules: Referred, base: Base, depth: int, text: str) -> _Parts:
    """Those of a text; made once in messages that say the same of themselves."""
    key = (rules.key, depth, text)
    known = run.memo.get(key)
    if known is not None:
        return cast(_Parts, known)
    before = len(run.problems)
    made: dict[str, Any] = {}
    values: list[tuple[Any, Copy | None]] = []
    sourced = False
    for member, pure in rules.members:
        if pure:
            sourced |= fill(run, base, depth, (member,), made)
        value = made.get(member.name)
        values.append((value, copies(value)))
    pairs = _pairs(run, rules, base, depth, made) if rules.known_by_text else None
    parts = _Parts(tuple(values), sourced, pairs)
    if len(run.problems) == before and len(text) < LONGEST:
        run.memo[key] = parts
    return parts


def _pairs(
    run: Run, rules: Referred, base: Base, depth: int, resource: dict[str, Any]
) -> tuple[tuple[str, str], ...]:
    """The identities of a resource."""
    if rules.identities is None:
        return identity_pairs(resource.get("identifier"))
    return identity_pairs(rules.identities(run, base, depth))
