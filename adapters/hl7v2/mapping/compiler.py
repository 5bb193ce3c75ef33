"""Maps to closures: objects, lists and their expressions.

One `Compiler` per site; a map is compiled when it is first used. What a template means follows
from the R4 type of the element it stands for (`elements`); a template that does not fit is refused
with file, map and element. What an expression becomes is in `leaves`, what converts its text in
`datatype_maps`, how parts are put together in `parts`. Called by `adapters.hl7v2.mapping.library`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from adapters.hl7v2.mapping import grammar
from adapters.hl7v2.mapping.datatype_maps import DatatypeMaps
from adapters.hl7v2.mapping.elements import Place, children
from adapters.hl7v2.mapping.grammar import (
    Component,
    Condition,
    Constant,
    Expression,
    Field,
    Ref,
    wrong,
)
from adapters.hl7v2.mapping.leaves import (
    constant_leaf,
    field_leaf,
    lines_leaf,
    part_leaf,
    reference_leaf,
    text_leaf,
)
from adapters.hl7v2.mapping.parts import (
    Extend,
    Make,
    Member,
    Part,
    either,
    fill,
    first_of,
    for_each,
    list_of,
    members,
    object_of,
    one_item,
    only_if,
    possible,
)
from adapters.hl7v2.mapping.primitives import KINDS
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.shapes import Asked, impossible, reduced
from adapters.hl7v2.mapping.tables import Table
from adapters.hl7v2.mapping.uses import Uses
from adapters.hl7v2.mapping.values import Base, Frame, Holds, all_of, get, holds

_OBJECT_WORDS = frozenset({"$each", "$from", "$when"})


class Compiler:
    """Compiles the maps of a site.

    Attributes:
        trace: Closures note where each element came from.
        datatypes: The datatype maps.
        asked: What conditions of the segment maps ask of their fields.
    """

    def __init__(
        self,
        datatypes: Mapping[str, Any],
        tables: Callable[[str, str], Table],
        concept_maps: Mapping[str, str],
        trace: bool,
    ) -> None:
        """Nothing is compiled yet.

        Args:
            datatypes: Content of the datatype maps.
            tables: Gives a table map by its name; with the place for errors.
            concept_maps: Field -> ConceptMap that its codes go through.
            trace: See `Compiler`.
        """
        self.trace = trace
        self.datatypes = DatatypeMaps(datatypes, tables, concept_maps)
        self.asked = Asked()
        self._uses = Uses()

    @contextmanager
    def uses_apart(self) -> Iterator[Uses]:
        """What is compiled within the block has uses of its own."""
        outer, self._uses = self._uses, Uses()
        try:
            yield self._uses
        finally:
            self._uses = outer

    def condition(self, text: object, frame: Frame) -> Holds | None:
        """`$when`; None without one."""
        if text is None:
            return None
        if not isinstance(text, str):
            raise wrong(f"{frame.place} $when", "hl7v2-map-shape", wanted="condition")
        return self.holds(grammar.condition(text, f"{frame.place} $when"), frame)

    def holds(self, condition: Condition | None, frame: Frame) -> Holds | None:
        """A condition as a closure; None: it always holds; `impossible`: never."""
        if condition is None:
            return None
        if frame.shape is None:
            self.asked.note(condition, frame.segment, frame.loops)
            self._uses.ask(condition, frame)
            return holds(condition, frame)
        left = reduced(condition, frame.shape, frame.loops)
        if isinstance(left, bool):
            return None if left else impossible
        self._uses.ask(left, frame)
        return holds(left, frame)

    def depends(self) -> None:
        """What is being compiled looks at more than texts: see `Uses.pure`."""
        self._uses.pure = False

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
            part = object_of(self._named(node, place, frame), self.trace)
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
        if first is impossible:
            return Part(impossible)
        others = [other for other in others if other is not impossible]

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
        return members(self._named(node, place, frame, words), self.trace)

    def _named(
        self,
        node: Mapping[str, Any],
        place: Place,
        frame: Frame,
        words: frozenset[str] = _OBJECT_WORDS,
    ) -> list[tuple[str, Part, int]]:
        """The elements of an object and what each of them is made of."""
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
        return found

    def masked(self, node: object, place: Place, frame: Frame) -> tuple[Part, int, Uses]:
        """A value, the bits of fields or components without which it is not tried, and its uses."""
        with self.uses_apart() as uses:
            part = self.value(node, place, frame)
        self._uses.add(uses)
        mask = uses.mask
        if frame.shape is not None and mask:
            if part.made is not None and not mask & frame.shape.present:
                part = Part(impossible, part.given)
            mask = 0
        return part, mask, uses

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
            given = possible(part.given)
            gives = gives or given is not None
            if part.made is not impossible or given is not None:
                item = one_item(Part(possible(part.made), given), self.trace)
                items.append((item, 0 if given is not None else mask))
        return list_of([item for item in items if item[0] is not impossible], constant, gives)

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
        self._uses.note(source, frame)
        plain = Field(source.segment, source.number, 0, source.component, source.subcomponent)
        part = self.leaf(
            Expression(plain, expression.datatype, expression.target, expression.table),
            place,
            inner,
        )
        condition = self.holds(expression.condition, frame)
        assert part.made is not None
        return self._for_each(source, part.made, condition, frame)

    def _for_each(self, source: Field, make: Make, condition: Holds | None, frame: Frame) -> Extend:
        """`for_each`, unless the field is empty."""
        if frame.shape is not None and frame.shape.lacks(source):
            return impossible
        if impossible in (condition, make):
            return impossible
        return for_each(all_of(source, frame), make, condition, self.trace)

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
        self._uses.note(source, frame)
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

        def make(run: Run, base: Base, depth: int) -> Any:
            if condition is not None and not condition(run, base, depth):
                return None
            begun = None if start is None else start(run, base, depth)
            made: dict[str, Any] = begun or {}
            sourced = fill(run, base, depth, of, made)
            return made if sourced or begun else None

        outer = self.holds(expression.condition, frame)
        return self._for_each(source, make, outer, frame)

    # --- expressions

    def leaf(self, expression: Expression, place: Place, frame: Frame) -> Part:
        """An expression for an element that does not repeat."""
        if isinstance(expression.source, Field) and expression.source.repetition < 0:
            return Part(self._lines(expression, expression.source, place, frame))
        part = self._plain(expression, place, frame)
        if expression.otherwise is not None:
            other = self.leaf(expression.otherwise, place, frame)
            part = Part(either(part.made, other.made), either(part.given, other.given))
        if expression.condition is None:
            return part
        condition = self.holds(expression.condition, frame)
        return Part(only_if(condition, part.made), only_if(condition, part.given))

    def _plain(self, expression: Expression, place: Place, frame: Frame) -> Part:
        source, trace = expression.source, self.trace
        if isinstance(source, Constant):
            table = self.datatypes.table(expression, frame)
            return Part(None, constant_leaf(source.text, table, place, frame))
        if isinstance(source, Ref):
            self._uses.note(source, frame)
            return Part(reference_leaf(source, place, frame))
        same = self.datatypes.same_parts(self, expression, place, frame)
        if same is not None:
            make, uses = same
            self._uses.add(uses)
            return Part(make)
        self._uses.note(source, frame)
        if frame.shape is not None and frame.shape.lacks(source):
            return Part(impossible)
        raw_of = get(source, frame)
        convert, noted = self.datatypes.convert(self, expression, place, frame)
        if isinstance(source, Field):
            return Part(field_leaf(source, frame, raw_of, convert, noted=noted, trace=trace))
        if isinstance(source, Component):
            return Part(part_leaf(source, raw_of, convert, noted=noted, trace=trace))
        return text_leaf(source, raw_of, convert, trace=trace)

    def _lines(self, expression: Expression, source: Field, place: Place, frame: Frame) -> Make:
        """`NTE-3[*]`: see `lines_leaf`."""
        read = KINDS.get(expression.datatype or place.type)
        if read is None or not place.primitive or expression.table or source.component:
            raise wrong(frame.place, "hl7v2-map-as", type=place.type)
        condition = self.holds(expression.condition, frame)
        self._uses.note(source, frame)
        if condition is impossible or (frame.shape is not None and frame.shape.lacks(source)):
            return impossible
        return lines_leaf(source, frame, read, condition, trace=self.trace)


def refuse_others(words: Iterable[str], known: frozenset[str], at: str) -> None:
    """Words with a dollar that mean nothing here.

    Raises:
        MapError: There is one.
    """
    for word in words:
        if word not in known:
            raise wrong(at, "hl7v2-map-word", word=word)
