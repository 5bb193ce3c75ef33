"""Which fields or components a part of a map is made of: without them it need not be tried.

Called by `adapters.hl7v2.mapping.compiler` and `datatype_maps`, at compile time only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.hl7v2.mapping.grammar import (
    Compare,
    Component,
    Condition,
    Count,
    Field,
    Joined,
    Longer,
    Ref,
    Source,
    Template,
)
from adapters.hl7v2.mapping.values import Frame


@dataclass(slots=True)
class Uses:
    """What a part of a map looks at.

    Attributes:
        numbers: Of the fields of its segment, or of the components, in the order of their use.
        always: It looks at something else too.
        read: Numbers of the fields of its segment, those of conditions too.
        pure: Beside them it looks at nothing that is not the same in all messages of a sender.
    """

    numbers: dict[int, None] = field(default_factory=dict)
    always: bool = False
    read: set[int] = field(default_factory=set)
    pure: bool = True

    @property
    def mask(self) -> int:
        """`Member.mask`."""
        return 0 if self.always else sum(1 << number for number in self.numbers)

    def note(self, source: Source, frame: Frame) -> None:
        """A source is looked at."""
        if isinstance(source, Field) and source.segment == frame.segment:
            self.numbers[source.number] = None
            self.read.add(source.number)
        elif isinstance(source, Template):
            for one in source.sources:
                self.note(one, frame)
        elif isinstance(source, Component) and source.component:
            self.numbers[source.component] = None
        else:
            self.always = True
            self.pure = self.pure and not isinstance(source, Field | Ref)

    def ask(self, condition: Condition, frame: Frame) -> None:
        """A condition is looked at."""
        match condition:
            case Joined(_, conditions):
                for inner in conditions:
                    self.ask(inner, frame)
            case Compare(source) | Count(source) | Longer(source):
                uses = Uses()
                uses.note(source, frame)
                self.read |= uses.read
                self.pure = self.pure and uses.pure
            case _:
                self.pure = False

    def add(self, inner: Uses) -> None:
        """A part of it looks at this."""
        self.numbers |= inner.numbers
        self.always = self.always or inner.always
        self.read |= inner.read
        self.pure = self.pure and inner.pure
