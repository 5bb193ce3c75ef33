"""Maps to closures.

One `Compiler` per site; a map is compiled when it is first used. What a template means follows
from the R4 type of the element it stands for (`elements`); a template that does not fit is refused
with file, map and element. Called by `adapters.hl7v2.mapping.library`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.mapping import grammar
from adapters.hl7v2.mapping.conversions import (
    coded,
    memoized,
    note,
    primitive,
    through_table,
    translated_by,
)
from adapters.hl7v2.mapping.elements import Place, children, is_type
from adapters.hl7v2.mapping.grammar import (
    Component,
    Constant,
    Expression,
    Field,
    MessageWord,
    Ref,
    Template,
    wrong,
)
from adapters.hl7v2.mapping.parts import (
    Convert,
    Extend,
    Make,
    Member,
    Part,
    always,
    bits,
    either,
    fill,
    first_of,
    list_of,
    members,
    object_of,
    one_item,
    only_if,
)
from adapters.hl7v2.mapping.primitives import KINDS, Unusable
from adapters.hl7v2.mapping.referred import referred
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.systems import SYSTEM_KINDS
from adapters.hl7v2.mapping.tables import Table
from adapters.hl7v2.mapping.values import (
    Base,
    Frame,
    Get,
    Holds,
    all_of,
    depth_of,
    get,
    holds,
    line_text,
)
from hub.definitions import is_resource_type, type_kind

_NUMBERS = {"integer": int, "positiveInt": int, "unsignedInt": int, "decimal": int}
_OBJECT_WORDS = frozenset({"$each", "$from", "$when"})


@dataclass(slots=True)
class Compiler:
    """Compiles the maps of a site.

    Attributes:
        datatypes: Content of the datatype maps.
        tables: Gives a table map by its name.
        concept_maps: Field -> ConceptMap that its codes go through.
        trace: Closures note where each element came from.
        translated: The fields of `concept_maps` that a map compiled so far makes codes of.
    """

    datatypes: Mapping[str, Any]
    tables: Callable[[str, str], Table]
    concept_maps: Mapping[str, str]
    trace: bool
    translated: set[str] = field(default_factory=set)
    _known: dict[tuple[str, str], Convert] = field(default_factory=dict)
    _inner: dict[tuple[str, str], tuple[Make, dict[int, None], bool]] = field(default_factory=dict)
    _uses: dict[int, None] = field(default_factory=dict)
    _always: bool = False

    def condition(self, text: object, frame: Frame) -> Holds | None:
        """`$when`; None without one."""
        if text is None:
            return None
        if not isinstance(text, str):
            raise wrong(f"{frame.place} $when", "hl7v2-map-shape", wanted="condition")
        return holds(grammar.condition(text, f"{frame.place} $when"), frame)

    def identities(self, node: object, frame: Frame) -> Make | None:
        """`$identities`: a list of Identifiers; None without them."""
        if node is None:
            return None
        inner = frame._replace(place=f"{frame.place} $identities")
        part = self.value(node, Place("Identifier", "Identifier", True, False), inner, plain=True)
        return either(part.made, part.given)

    # --- templates

    def value(self, node: object, place: Place, frame: Frame, *, plain: bool = False) -> Part:
        """A template of any shape for an element.

        Args:
            node: Text, mapping or list.
            place: The element.
            frame: Where it stands.
            plain: Without trace.
        """
        if plain and self.trace:
            traced, self.trace = self.trace, False
            try:
                return self.value(node, place, frame)
            finally:
                self.trace = traced
        if place.repeats:
            return self._list(node if isinstance(node, list) else [node], place, frame)
        if isinstance(node, list):
            return first_of([self.masked(item, place, frame)[:2] for item in node])
        return self._single(node, place, frame)

    def _single(self, node: object, place: Place, frame: Frame) -> Part:
        if isinstance(node, str):
            return self.leaf(grammar.expression(node, frame.place), place, frame)
        if isinstance(node, dict):
            return self._object(node, place, frame)
        raise wrong(frame.place, "hl7v2-map-shape", wanted="value")

    def _object(self, node: Mapping[str, Any], place: Place, frame: Frame) -> Part:
        """An object without `$each`."""
        if "$each" in node:
            raise wrong(f"{frame.place} $each", "hl7v2-map-each")
        if "$from" in node:
            part = self._filled(node, place, frame)
        else:
            part = object_of(self.members_of(node, place, frame))
        condition = self.condition(node.get("$when"), frame)
        if condition is None:
            return part
        return Part(only_if(condition, part.made), only_if(condition, part.given))

    def _filled(self, node: Mapping[str, Any], place: Place, frame: Frame) -> Part:
        """`$from`: what it makes, filled up; nothing when it (the first) makes nothing."""
        at = f"{frame.place} $from"
        texts = node["$from"] if isinstance(node["$from"], list) else [node["$from"]]
        makes = [
            self.leaf(grammar.expression(text, at), place, frame).made
            for text in texts
            if isinstance(text, str)
        ]
        starts = [make for make in makes if make is not None]
        if place.primitive or not starts or len(starts) < len(texts):
            raise wrong(at, "hl7v2-map-shape", wanted="value")
        first, *others = starts
        of = self.members_of(node, place, frame)

        def make(run: Run, base: Base, depth: int) -> Any:
            begun = first(run, base, depth)
            if begun is None:
                return None
            for other in others:
                more = other(run, base, depth)
                if more is not None:
                    begun = {**more, **begun}
            fill(run, base, depth, of, begun)
            return begun

        return Part(make)

    def members_of(
        self,
        node: Mapping[str, Any],
        place: Place,
        frame: Frame,
        words: frozenset[str] = _OBJECT_WORDS,
    ) -> tuple[Member, ...]:
        """The elements of an object.

        Args:
            node: Its YAML.
            place: The object.
            frame: Where it stands.
            words: Words with a dollar that it may have.
        """
        if place.primitive:
            raise wrong(frame.place, "hl7v2-map-shape", wanted="value")
        refuse_others((key for key in node if key.startswith("$")), words, frame.place)
        known = children(place.path)
        found: list[tuple[str, Part, int]] = []
        for key, inner in node.items():
            if key.startswith("$"):
                continue
            at = f"{frame.place}.{key}"
            below = known.get(key)
            if below is None:
                raise wrong(at, "hl7v2-map-element", type=place.path, element=key)
            part, mask, _ = self.masked(inner, below, frame._replace(place=at))
            found.append((key, part, mask))
        return members(found, self.trace)

    def masked(self, node: object, place: Place, frame: Frame) -> tuple[Part, int, tuple[int, ...]]:
        """A value, and the fields or components it is made of: without them it is not tried."""
        uses, outer = self._uses, self._always
        self._uses, self._always = {}, False
        part = self.value(node, place, frame)
        numbers = tuple(self._uses)
        mask = 0 if self._always else sum(1 << number for number in numbers)
        self._uses, self._always = uses | self._uses, outer or self._always
        return part, mask, numbers

    def _list(self, nodes: list[Any], place: Place, frame: Frame) -> Part:
        single = place._replace(repeats=False)
        items: list[tuple[Extend, int]] = []
        constant, gives = True, False
        for node in nodes:
            if isinstance(node, dict) and "$each" in node:
                items.append((self._each(node, single, frame), 0))
                constant = False
                continue
            if isinstance(node, str):
                expression = grammar.expression(node, frame.place)
                if isinstance(expression.source, Field) and self._many(expression, frame):
                    items.append((self._repetitions(expression, single, frame), 0))
                    constant = False
                    continue
            part, mask, _ = self.masked(node, single, frame)
            constant = constant and part.made is None
            gives = gives or part.given is not None
            items.append((one_item(part, self.trace), 0 if part.given is not None else mask))
        return list_of(items, constant, gives)

    def _many(self, expression: Expression, frame: Frame) -> bool:
        source = expression.source
        return (
            isinstance(source, Field)
            and source.repetition <= 0
            and (source.segment, source.number) not in frame.loops
            and expression.otherwise is None
        )

    def _repetitions(self, expression: Expression, place: Place, frame: Frame) -> Extend:
        """Every repetition of a field through one expression."""
        source = expression.source
        assert isinstance(source, Field)
        loop = (source.segment, source.number)
        inner = frame._replace(loops=(*frame.loops, loop))
        self._note_use(source, frame)
        plain = Field(source.segment, source.number, 0, source.component, source.subcomponent)
        part = self.leaf(
            Expression(plain, expression.datatype, expression.target, expression.table),
            place,
            inner,
        )
        condition = None if expression.condition is None else holds(expression.condition, frame)
        make = part.made
        assert make is not None
        return self._loop(
            source, frame, lambda run, base, depth, out: make(run, base, depth), condition
        )

    def _each(self, node: Mapping[str, Any], place: Place, frame: Frame) -> Extend:
        """`$each`: an object for every repetition."""
        at = f"{frame.place} $each"
        text = node["$each"]
        if not isinstance(text, str):
            raise wrong(at, "hl7v2-map-shape", wanted="field")
        expression = grammar.expression(text, at)
        source = expression.source
        if not isinstance(source, Field) or source.repetition > 0 or source.component:
            raise wrong(at, "hl7v2-map-each")
        self._note_use(source, frame)
        inner = frame._replace(loops=(*frame.loops, (source.segment, source.number)))
        of = self.members_of(node, place, inner)
        condition = self.condition(node.get("$when"), inner)
        start: Make | None = None
        if expression.datatype:
            plain = Expression(
                Field(source.segment, source.number),
                expression.datatype,
                expression.target,
                expression.table,
            )
            start = self.leaf(plain, place, inner).made

        def make(run: Run, base: Base, depth: int, out: list[Any]) -> Any:
            if condition is not None and not condition(run, base, depth):
                return None
            begun = None if start is None else start(run, base, depth)
            made: dict[str, Any] = begun or {}
            sourced = fill(run, base, depth, of, made)
            return made if sourced or begun else None

        outer = None if expression.condition is None else holds(expression.condition, frame)
        return self._loop(source, frame, make, outer)

    def _loop(
        self,
        source: Field,
        frame: Frame,
        make: Callable[[Run, Base, int, list[Any]], Any],
        condition: Holds | None,
    ) -> Extend:
        repetitions = all_of(source, frame)
        trace = self.trace

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
                value = make(run, base, depth, out) if text else None
                if trace:
                    run.path.pop()
                if value is not None:
                    out.append(value)
                    sourced = True
            loops.pop()
            run.turn = 0
            return sourced

        return extend

    # --- expressions

    def leaf(self, expression: Expression, place: Place, frame: Frame) -> Part:
        """An expression for an element that does not repeat."""
        if isinstance(expression.source, Field) and expression.source.repetition < 0:
            return self._lines(expression, expression.source, place, frame)
        part = self._plain(expression, place, frame)
        if expression.otherwise is not None:
            other = self.leaf(expression.otherwise, place, frame)
            part = Part(either(part.made, other.made), either(part.given, other.given))
        if expression.condition is None:
            return part
        condition = holds(expression.condition, frame)
        return Part(only_if(condition, part.made), only_if(condition, part.given))

    def _plain(self, expression: Expression, place: Place, frame: Frame) -> Part:
        source = expression.source
        if isinstance(source, Constant):
            return Part(None, self._constant(expression, source, place, frame))
        if isinstance(source, Ref):
            self._always = True
            return Part(self._ref(source, place, frame))
        make_same = self._same_parts(expression, place, frame)
        if make_same is not None:
            return Part(make_same)
        self._note_use(source, frame)
        raw_of = get(source, frame)
        convert, noted = self._convert(expression, place, frame)
        label = source.label if isinstance(source, Field | Component) else ""
        if isinstance(source, Field):
            label = label.partition("-")[2]
            return Part(self._field_leaf(source, raw_of, convert, label, frame, noted))
        if isinstance(source, Component):
            return Part(self._part_leaf(source, raw_of, convert, label, noted))

        def make(run: Run, base: Base, depth: int) -> Any:
            raw = raw_of(run, base, depth)
            return convert(run, raw, 3) if raw else None

        sources = (source,) if isinstance(source, MessageWord) else tuple(source.sources)
        if all(isinstance(one, MessageWord) for one in sources):
            return Part(None, make)  # It says nothing that other messages do not say.
        if not self.trace or not isinstance(source, Template):
            return Part(make)
        inside = isinstance(next(source.sources, None), Component)

        def traced(run: Run, base: Base, depth: int) -> Any:
            value = make(run, base, depth)
            outer = run.at
            if not inside:
                run.at = _first_place(run, source)
            if run.at:
                note(run, value)
            run.at = outer
            return value

        return Part(traced)

    def _lines(self, expression: Expression, source: Field, place: Place, frame: Frame) -> Part:
        """`NTE-3[*]`: all repetitions as the lines of one text.

        Of another segment of the group those of every one for which the condition holds.
        """
        read = KINDS.get(expression.datatype or place.type)
        if read is None or not place.primitive or expression.table or source.component:
            raise wrong(frame.place, "hl7v2-map-as", type=place.type)
        own = source.segment == frame.segment
        condition = None if expression.condition is None else holds(expression.condition, frame)
        repetitions = all_of(source, frame)
        self._note_use(source, frame)
        name, number, trace = source.segment, str(source.number), self.trace

        def gathered(run: Run, base: Base, depth: int) -> list[str]:
            if condition is None or condition(run, base, depth):
                return [line_text(run, raw) for raw in repetitions(run, base)]
            return []

        def make(run: Run, base: Base, depth: int) -> Any:
            if own:
                lines = gathered(run, base, depth)
            else:
                scope, lines = run.scope, []
                around = scope.segments
                for segment in around.get(name, ()):
                    scope.segments = {**around, name: [segment]}
                    lines += gathered(run, base, depth)
                scope.segments = around
            text = "\n".join(lines)
            if not text.strip():
                return None
            run.label = number
            try:
                value = read(text, run.zone)
            except Unusable as error:
                run.remark(error.id, number)
                return None
            if trace:
                segment = run.segment if own else run.scope.segments[name][0]
                outer, run.at = run.at, f"{segment.name}[{segment.ordinal}]|{number}"
                note(run, value)
                run.at = outer
            return value

        return Part(make)

    def _note_use(self, source: grammar.Source, frame: Frame) -> None:
        if isinstance(source, Field) and source.segment == frame.segment:
            self._uses[source.number] = None
        elif isinstance(source, grammar.Template):
            for part in source.parts:
                for one in () if isinstance(part, str) else part:
                    self._note_use(one, frame)
        elif isinstance(source, Component) and source.component:
            self._uses[source.component] = None
        else:
            self._always = True

    def _field_leaf(
        self,
        source: Field,
        raw_of: Get,
        convert: Convert,
        label: str,
        frame: Frame,
        noted: bool,
    ) -> Make:
        depth_below = depth_of(source, 0)
        if not self.trace:

            def make(run: Run, base: Base, depth: int) -> Any:
                raw = raw_of(run, base, depth)
                if not raw:
                    return None
                run.label = label
                value = convert(run, raw, depth_below)
                if run.problems:
                    run.settle(label)
                return value

            return make
        own = source.segment == frame.segment

        def traced(run: Run, base: Base, depth: int) -> Any:
            raw = raw_of(run, base, depth)
            if not raw:
                return None
            segment = run.segment if own else run.scope.segment(source.segment)
            assert segment is not None
            number, dot, rest = label.partition(".")
            repetition = source.repetition if source.repetition > 0 else run.turn
            turn = f"[{repetition}]" if repetition else ""
            run.label = label
            outer, run.at = run.at, f"{segment.name}[{segment.ordinal}]|{number}{turn}{dot}{rest}"
            value = convert(run, raw, depth_below)
            if noted:
                note(run, value)
            run.at = outer
            if run.problems:
                run.settle(label)
            return value

        return traced

    def _part_leaf(
        self, source: Component, raw_of: Get, convert: Convert, label: str, noted: bool
    ) -> Make:
        whole = not source.component
        deeper = source.subcomponent > 0
        trace = self.trace

        def make(run: Run, base: Base, depth: int) -> Any:
            raw = raw_of(run, base, depth)
            if not raw:
                return None
            before = len(run.problems)
            if trace:
                outer, run.at = run.at, f"{run.at}.{label}" if label else run.at
            value = convert(run, raw, depth - 1 if whole else depth + deeper)
            if trace:
                if noted:
                    note(run, value)
                run.at = outer
            if len(run.problems) > before and label:
                run.problems[before:] = [
                    (f"{label}.{inner}" if inner else label, message, arguments)
                    for inner, message, arguments in run.problems[before:]
                ]
            return value

        return make

    def _ref(self, source: Ref, place: Place, frame: Frame) -> Make:
        wanted = source.resource
        if place.type != "Reference" or not is_resource_type(wanted):
            raise wrong(frame.place, "hl7v2-map-type", written=wanted)

        def make(run: Run, base: Base, depth: int) -> Any:
            found = run.scope.find(wanted)
            return None if found is None else {"reference": found.full_url}

        return make

    def _constant(
        self, expression: Expression, source: Constant, place: Place, frame: Frame
    ) -> Make:
        if expression.table:
            table = self.tables(expression.table, frame.place)
            found = table.find(source.text)
            if found is None:
                raise wrong(frame.place, "hl7v2-map-code", table=table.name, code=source.text)
            coding = {"system": found.system, "code": found.code, "display": found.display}
            coding = {name: value for name, value in coding.items() if value}
            if place.type == "Coding":
                return always(coding)
            if place.type == "CodeableConcept":
                return always({"coding": [coding]})
            return always(found.code)
        if not place.primitive:
            raise wrong(frame.place, "hl7v2-map-as", type=place.type)
        if place.type == "boolean":
            return always(source.text == "true")
        return always(_NUMBERS.get(place.type, str)(source.text))

    # --- conversions

    def _convert(self, expression: Expression, place: Place, frame: Frame) -> tuple[Convert, bool]:
        """What makes the element of a raw text; True when it does so as a whole."""
        kind, target = expression.datatype, expression.target
        table = self.tables(expression.table, frame.place) if expression.table else None
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
        convert = self._datatype(kind, target or place.type, frame)
        if table is not None:
            convert = through_table(table, place, convert)
        source = expression.source
        if isinstance(source, Field) and place.type == "CodeableConcept":
            canonical = self.concept_maps.get(f"{source.segment}-{source.number}")
            if canonical:
                self.translated.add(f"{source.segment}-{source.number}")
                convert = translated_by(canonical, convert)
        return convert, table is not None or place.type == "Reference"

    def _datatype(self, datatype: str, target: str, frame: Frame) -> Convert:
        """A datatype map; compiled once, and found again by maps that use each other."""
        key = (datatype, target)
        known = self._known.get(key)
        if known is not None:
            return known
        content = self.datatypes.get(datatype, {}).get(target)
        if content is None:
            raise wrong(frame.place, "hl7v2-map-datatype", map=f"{datatype}[{target}]")
        box: list[Convert] = []
        self._known[key] = lambda run, raw, depth: box[0](run, raw, depth)
        uses, outer = self._uses, self._always
        self._uses, self._always = {}, False
        make, flat = self._compile_datatype(datatype, target, content)
        self._inner[key] = (make, self._uses, self._always)
        self._uses, self._always = uses, outer

        def convert(run: Run, raw: str, depth: int) -> Any:
            delimiter = run.split[depth]
            base = raw.split(delimiter) if delimiter else [raw]
            present, run.present = run.present, bits(base, 1)
            value = make(run, base, depth + 1) if run.present else None
            run.present = present
            return value

        # Units and systems come again and again; only flat values, so that nobody shares a list.
        box.append(memoized(convert, f"{datatype}[{target}]") if flat else convert)
        self._known[key] = box[0]
        return box[0]

    def _compile_datatype(self, datatype: str, target: str, content: Any) -> tuple[Make, bool]:
        """A datatype map on the parts of a text; True: what it makes may be remembered."""
        at = f"datatypes/{datatype}.yaml {target}"
        frame = Frame("", datatype, at)
        if isinstance(content, dict) and "$resource" in content:
            return referred(self, content, frame), False
        fhir_type = target.split("-", 1)[0]
        if not is_type(fhir_type):
            raise wrong(at, "hl7v2-map-type", written=fhir_type)
        if is_resource_type(fhir_type):
            fhir_type = "Reference"
        primitive = type_kind(fhir_type) == "primitive-type"
        part = self.value(content, Place(fhir_type, fhir_type, False, primitive), frame)
        # A constant makes no object, but of a list of values it is the last.
        made = either(part.made, part.given) if primitive else part.made
        if part.made is None or made is None:
            raise wrong(at, "hl7v2-map-shape", wanted="value")
        return made, not self.trace and (primitive or fhir_type == "Quantity")

    def _same_parts(self, expression: Expression, place: Place, frame: Frame) -> Make | None:
        """`this as` another map of the same datatype works on the same parts."""
        source, datatype = expression.source, expression.datatype
        whole = isinstance(source, Component) and not source.component
        if self.trace or not whole or expression.table or datatype != frame.datatype:
            return None
        target = expression.target or place.type
        self._datatype(datatype, target, frame)
        found = self._inner.get((datatype, target))
        if found is None:  # It uses itself and is being compiled.
            return None
        make, uses, always = found
        self._uses |= uses
        self._always = self._always or always
        return make


def _first_place(run: Run, source: Template) -> str:
    """While tracing: the first field of a template that has a value, `PID[1]|3`."""
    for one in source.sources:
        if isinstance(one, Field):
            own = run.segment.name == one.segment
            segment = run.segment if own else run.scope.segment(one.segment)
            if segment is not None and segment.field(one.number):
                return f"{segment.name}[{segment.ordinal}]|{one.label.partition('-')[2]}"
    return ""


def refuse_others(words: Iterable[str], known: frozenset[str], at: str) -> None:
    """Words with a dollar that mean nothing here.

    Raises:
        MapError: There is one.
    """
    for word in words:
        if word not in known:
            raise wrong(at, "hl7v2-map-word", word=word)
