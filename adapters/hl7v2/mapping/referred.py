"""Datatype maps that make a resource: the value is a reference to it.

A Practitioner of XCN, an Organization of XON, the Locations of PL. Called by
`adapters.hl7v2.mapping.datatype_maps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.hl7v2.converted import How, Mapped, Source
from adapters.hl7v2.mapping.conversions import identity_pairs
from adapters.hl7v2.mapping.elements import Place
from adapters.hl7v2.mapping.grammar import wrong
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
    """

    name: str
    type: str
    members: tuple[Member, ...]
    when: Holds | None
    how: How
    identities: Make | None
    display: Make | None
    only_shown: bool
    initial: frozenset[str]
    trace: bool


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
    rules = Referred(
        frame.place,
        resource_type,
        compiler.members_of(
            content, Place(resource_type, resource_type, False, False), frame, WORDS
        ),
        compiler.condition(content.get("$when"), frame),
        content.get("$how", "find"),
        compiler.identities(content.get("$identities"), frame),
        compiler.value(
            content.get("$display", []),
            Place("string", "string", False, True),
            frame._replace(place=f"{frame.place} $display"),
            plain=True,
        ).made,
        content.get("$unless_identified") == "display",
        frozenset(content.get("$initial", ())),
        compiler.trace,
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
            mapped = _find_or_add(run, rules, base, depth)
            if mapped is not None:
                run.identified[text] = mapped
        run.path, run.notes = path, notes
        if mapped is None:
            return {"display": display} if display and rules.only_shown else None
        if display:
            return {"reference": mapped.full_url, "display": display}
        return {"reference": mapped.full_url}

    return make


def _find_or_add(run: Run, rules: Referred, base: Base, depth: int) -> Mapped | None:
    """The resource, made unless another text of the message has made it; None: there is none."""
    resource: dict[str, Any] = {"resourceType": rules.type}
    if not fill(run, base, depth, rules.members, resource):
        return None
    notes, run.notes = run.notes, []
    pairs = identity_pairs(
        resource.get("identifier")
        if rules.identities is None
        else rules.identities(run, base, depth)
    )
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
