"""Maps of datatypes, compiled once each, and the choice of what makes a value of a raw text.

Called by `adapters.hl7v2.mapping.compiler`, which compiles what stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.hl7v2.mapping.conversions import (
    coded,
    primitive,
    through_table,
    translated_by,
)
from adapters.hl7v2.mapping.elements import Place, is_type
from adapters.hl7v2.mapping.grammar import Component, Expression, Field, Template, wrong
from adapters.hl7v2.mapping.memory import of_text
from adapters.hl7v2.mapping.parts import Convert, Make, bits, either
from adapters.hl7v2.mapping.primitives import KINDS
from adapters.hl7v2.mapping.referred import referred
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.systems import SYSTEM_KINDS
from adapters.hl7v2.mapping.tables import Table
from adapters.hl7v2.mapping.uses import Uses
from adapters.hl7v2.mapping.values import Frame
from hub.definitions import is_resource_type, type_kind

if TYPE_CHECKING:
    from adapters.hl7v2.mapping.compiler import Compiler


_REMEMBERED = frozenset(("CodeableConcept", "Coding", "Quantity", "code", "string", "uri"))
"""Types whose values come again in other fields; names and numbers of persons seldom do."""


@dataclass(slots=True)
class DatatypeMaps:
    """The datatype maps of a site.

    Attributes:
        content: Their YAML by datatype and target.
        tables: Gives a table map by its name.
        concept_maps: Field -> ConceptMap that its codes go through.
        translated: The fields of `concept_maps` that a map compiled so far makes codes of.
    """

    content: Mapping[str, Any]
    tables: Callable[[str, str], Table]
    concept_maps: Mapping[str, str]
    translated: set[str] = field(default_factory=set)
    _known: dict[tuple[str, str], Convert] = field(default_factory=dict)
    _inner: dict[tuple[str, str], tuple[Make, Uses]] = field(default_factory=dict)

    def table(self, expression: Expression, frame: Frame) -> Table | None:
        """The table of `by`; None without one."""
        return self.tables(expression.table, frame.place) if expression.table else None

    def convert(
        self, compiler: Compiler, expression: Expression, place: Place, frame: Frame
    ) -> tuple[Convert, bool]:
        """What makes the element of a raw text; True when it does so as a whole.

        Args:
            compiler: Of the site.
            expression: Names datatype and table, or leaves them to the element's type.
            place: The element.
            frame: Where it stands.

        Raises:
            MapError: Nothing makes such an element of it.
        """
        kind, target = expression.datatype, expression.target
        table = self.table(expression, frame)
        if kind in SYSTEM_KINDS and not target:
            return SYSTEM_KINDS[kind], True
        if not kind and place.primitive:
            kind = place.type
        if kind in KINDS and not target:
            if not place.primitive:
                raise wrong(frame.place, "hl7v2-map-as", type=place.type)
            return primitive(kind, table, isinstance(expression.source, Template)), True
        if not kind:
            if table is None or place.type not in ("Coding", "CodeableConcept"):
                raise wrong(frame.place, "hl7v2-map-as", type=place.type)
            return coded(table, place.type == "CodeableConcept"), True
        convert = self._datatype(compiler, kind, target or place.type, frame)
        inner = self._inner.get((kind, target or place.type))
        if inner is None or not inner[1].pure:
            compiler.depends()
        if table is not None:
            convert = through_table(table, place, convert)
        source = expression.source
        if isinstance(source, Field) and place.type == "CodeableConcept":
            canonical = self.concept_maps.get(f"{source.segment}-{source.number}")
            if canonical:
                self.translated.add(f"{source.segment}-{source.number}")
                convert = translated_by(canonical, convert)
                compiler.depends()
        return convert, table is not None or place.type == "Reference"

    def same_parts(
        self, compiler: Compiler, expression: Expression, place: Place, frame: Frame
    ) -> tuple[Make, Uses] | None:
        """`this as` another map of the same datatype works on the same parts; None: it does not.

        Args:
            compiler: Of the site.
            expression: As in `convert`.
            place: The element.
            frame: Where it stands.
        """
        source, datatype = expression.source, expression.datatype
        whole = isinstance(source, Component) and not source.component
        if compiler.trace or not whole or expression.table or datatype != frame.datatype:
            return None
        target = expression.target or place.type
        self._datatype(compiler, datatype, target, frame)
        return self._inner.get((datatype, target))  # None: it uses itself, and is being compiled.

    def _datatype(self, compiler: Compiler, datatype: str, target: str, frame: Frame) -> Convert:
        """A datatype map; compiled once, and found again by maps that use each other."""
        key = (datatype, target)
        known = self._known.get(key)
        if known is not None:
            return known
        content = self.content.get(datatype, {}).get(target)
        if content is None:
            raise wrong(frame.place, "hl7v2-map-datatype", map=f"{datatype}[{target}]")
        box: list[Convert] = []
        self._known[key] = lambda run, raw, depth: box[0](run, raw, depth)
        with compiler.uses_apart() as uses:
            make = _compiled(compiler, datatype, target, content)
        self._inner[key] = make, uses

        def convert(run: Run, raw: str, depth: int) -> Any:
            delimiter = run.split[depth]
            base = raw.split(delimiter) if delimiter else [raw]
            present, run.present = run.present, bits(base, 1)
            value = make(run, base, depth + 1) if run.present else None
            run.present = present
            return value

        often = _type_of(target) in _REMEMBERED and uses.pure and not compiler.trace
        box.append(of_text(convert) if often else convert)
        self._known[key] = box[0]
        return box[0]


def _type_of(target: str) -> str:
    """`Quantity` of `Quantity-Low`."""
    return target.split("-", 1)[0]


def _compiled(compiler: Compiler, datatype: str, target: str, content: Any) -> Make:
    """A datatype map on the parts of a text."""
    at = f"datatypes/{datatype}.yaml {target}"
    frame = Frame("", datatype, at)
    if isinstance(content, dict) and "$resource" in content:
        compiler.depends()
        return referred(compiler, content, frame)
    fhir_type = _type_of(target)
    if not is_type(fhir_type):
        raise wrong(at, "hl7v2-map-type", written=fhir_type)
    if is_resource_type(fhir_type):
        fhir_type = "Reference"
    is_primitive = type_kind(fhir_type) == "primitive-type"
    part = compiler.value(content, Place(fhir_type, fhir_type, False, is_primitive), frame)
    # A constant makes no object, but of a list of values it is the last.
    made = either(part.made, part.given) if is_primitive else part.made
    if part.made is None or made is None:
        raise wrong(at, "hl7v2-map-shape", wanted="value")
    return made
