"""What makes a value of a raw text: primitives, codes by tables and ConceptMaps.

Called by `adapters.hl7v2.mapping.datatype_maps` and `leaves`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.hl7v2.converted import Source
from adapters.hl7v2.mapping.elements import Place
from adapters.hl7v2.mapping.parts import Convert
from adapters.hl7v2.mapping.primitives import KINDS, Unusable
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.tables import Table
from adapters.hl7v2.mapping.values import text_of, whole_text
from adapters.hl7v2.message import DELETE


def identity_pairs(identifiers: Any) -> tuple[tuple[str, str], ...]:
    """(system, value) of the identifiers that have both."""
    return tuple(
        (one["system"], one["value"])
        for one in identifiers or ()
        if "system" in one and "value" in one
    )


def note(run: Run, value: Any) -> None:
    """While tracing: the element at hand came from here."""
    if value is None:
        return
    segment, _, number = run.at.partition("|")
    run.notes.append(Source("".join(run.path).removeprefix("."), segment, number))


def primitive(kind: str, table: Table | None, template: bool) -> Convert:
    """A primitive of a kind, through a table map if there is one."""
    if kind == "string" and table is None and not template:
        return _string
    read = KINDS[kind]
    clean = whole_text if kind in ("text", "markdown") else text_of
    if template:  # Its values are plain text already.
        clean = _stripped

    def convert(run: Run, raw: str, depth: int) -> Any:
        text = clean(run, raw, depth)
        if not text:
            return None
        try:
            return read(text, run.zone)
        except Unusable as error:
            run.problem(error.id)
            return None

    if table is None:
        return convert

    def mapped(run: Run, raw: str, depth: int) -> Any:
        text = clean(run, raw, depth)
        return table.code(run, text) if text else None

    return mapped


def _string(run: Run, raw: str, depth: int) -> str | None:
    """Most of what is converted: `text_of`, quickly."""
    if depth == 1 and run.split[1] in raw:
        raw = raw.split(run.split[1], 1)[0]
    if run.plain and raw != DELETE:
        return raw.strip() or None
    return whole_text(run, raw, 3) or None


def _stripped(run: Run, raw: str, depth: int) -> str:
    return raw.strip()


def coded(table: Table, concept: bool) -> Convert:
    """A code text into a Coding or CodeableConcept by its table."""

    def convert(run: Run, raw: str, depth: int) -> Any:
        text = text_of(run, raw, depth)
        if not text:
            return None
        if concept:
            return table.concept(run, {"coding": [{"code": text}]})
        return table.coding(run, {"code": text})

    return convert


def through_table(table: Table, place: Place, convert: Convert) -> Convert:
    """A datatype map's result through a table map."""
    apply: Callable[[Run, Any], Any]
    if place.type == "CodeableConcept":
        apply = table.concept
    elif place.type == "Coding":
        apply = table.coding
    else:
        apply = table.code

    def through(run: Run, raw: str, depth: int) -> Any:
        value = convert(run, raw, depth)
        return None if value is None else apply(run, value)

    return through


def translated_by(canonical: str, convert: Convert) -> Convert:
    """A CodeableConcept whose local code a ConceptMap translates; the local one stays."""

    def translated(run: Run, raw: str, depth: int) -> Any:
        value = convert(run, raw, depth)
        if value is None or run.translate is None:
            return value
        codings = value.get("coding", ())
        for coding in codings:
            found = run.translate(canonical, coding.get("system", ""), coding.get("code", ""))
            if found:
                added = [one for one in found if one not in codings]
                return {**value, "coding": [*added, *codings]}
        run.problem("hl7v2-code-untranslated")
        return value

    return translated
