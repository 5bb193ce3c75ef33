"""A40: one patient record goes on under another, and what reaches the one that was merged away.

The replaced record stays, inactive, with its identifiers and a link to the surviving one;
references are not rewritten. What a message tells under the old number goes on to be kept there,
and what was told after the merge reaches the surviving record too (`carry_over`): so the end does
not depend on whether the A40 came before or after. Links are as old as their A40, and the newest
one holds. Called by `adapters.hl7v2.storing`.
Spec: https://hl7.org/fhir/R4/patient.html#merging; HL7 v2.9 chapter 3, section 3.3.40.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from typing import Any

from adapters.hl7v2.converted import Mapped
from adapters.hl7v2.held import Held
from adapters.hl7v2.marks import Stamp
from adapters.hl7v2.merged_elements import Content
from adapters.hl7v2.merging import carried
from hub.errors import Conflict, fault

REPLACED_BY, REPLACES = "replaced-by", "replaces"
LINK, ACTIVE = "link", "active"
MOST = 32
"""Records in a chain of merges."""

_PREFIX = "Patient/"

Hold = Callable[[str], Awaitable[Held | None]]
"""Gives the Patient of an id, with its marks; the same object each time."""


def successor(content: Content) -> str:
    """Logical id of the record that goes on instead of a patient's, "" if it goes on itself."""
    return next((id for kind, id, _ in _links(content) if kind == REPLACED_BY), "")


def _links(content: Content) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for link in content.get(LINK, ()):
        text = link.get("other", {}).get("reference", "")
        yield link.get("type", ""), text.removeprefix(_PREFIX), link


async def chain(patient: Held, hold: Hold) -> list[Held]:
    """A patient and the records that go on instead of it, one after the other.

    Args:
        patient: Where to begin.
        hold: Gives records.
    """
    found, seen = [patient], {patient.id}
    while (following := successor(found[-1].content)) and len(found) < MOST:
        held = await hold(following)
        if held is None or held.id in seen:  # A person has deleted it, or tied a knot.
            break
        found.append(held)
        seen.add(held.id)
    return found


def reached(chain: list[Held], stamp: Stamp) -> Held:
    """The record that something goes to: those merged away before it happened pass it on."""
    for held in chain[:-1]:
        if stamp <= held.marks.of(LINK):
            return held
    return chain[-1]


async def join(surviving: Held, replaced: Held, stamp: Stamp, hold: Hold, place: str) -> None:
    """Note that a record goes on under another, unless a newer message says so of a third.

    Args:
        surviving: The record that goes on.
        replaced: The record that ends.
        stamp: Of the message.
        hold: Gives records.
        place: Where the message names the replaced one, for errors.

    Raises:
        Conflict: The surviving one goes on under the replaced one, or they are one.
    """
    if replaced in await chain(surviving, hold):
        raise Conflict(fault("business-rule", "hl7v2-merge-cycle", place))
    if stamp < replaced.marks.of(LINK):
        return
    before = successor(replaced.content)
    if before not in ("", surviving.id):
        other = await hold(before)
        if other is not None:
            _unlink(other, REPLACES, replaced.id)
    if before != surviving.id:
        _unlink(replaced, REPLACED_BY, before)
        _link(replaced, REPLACED_BY, surviving.id)
        _link(surviving, REPLACES, replaced.id)
    replaced.content[ACTIVE] = False
    replaced.marks.stamps[LINK] = stamp


def _link(held: Held, kind: str, id: str) -> None:
    if all((one, other) != (kind, id) for one, other, _ in _links(held.content)):
        link = {"other": {"reference": _PREFIX + id}, "type": kind}
        held.content[LINK] = [*held.content.get(LINK, ()), link]


def _unlink(held: Held, kind: str, id: str) -> None:
    kept = [link for one, other, link in _links(held.content) if (one, other) != (kind, id)]
    if kept:
        held.content[LINK] = kept
    else:
        held.content.pop(LINK, None)


async def carry_over(mapped: Mapped, patient: Held, hold: Hold) -> None:
    """Let what a merged record was told since its merge reach the records that go on.

    Args:
        mapped: What a message tells of a patient.
        patient: The patient.
        hold: Gives records.
    """
    following = await chain(patient, hold)
    for held, target in pairwise(following):
        held.content[ACTIVE] = False
        source = (held.content, held.marks)
        since = held.marks.of(LINK)
        made = carried("Patient", source, (target.content, target.marks), since)
        target.content, target.marks = made.content, made.marks
        target.told.append((mapped, made.taken))
