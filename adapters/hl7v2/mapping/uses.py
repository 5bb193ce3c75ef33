"""Which fields or components a part of a map is made of: without them it need not be tried.

Called by `adapters.hl7v2.mapping.compiler` and `datatype_maps`, at compile time only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.hl7v2.mapping.grammar import Component, Field, Source, Template
from adapters.hl7v2.mapping.values import Frame


@dataclass(slots=True)
class Uses:
    """What a part of a map looks at.

    Attributes:
        numbers: Of the fields of its segment, or of the components, in the order of their use.
        always: It looks at something else too.
    """

    numbers: dict[int, None] = field(default_factory=dict)
    always: bool = False

    @property
    def mask(self) -> int:
        """`Member.mask`."""
        return 0 if self.always else sum(1 << number for number in self.numbers)

    def note(self, source: Source, frame: Frame) -> None:
        """A source is looked at."""
        if isinstance(source, Field) and source.segment == frame.segment:
            self.numbers[source.number] = None
        elif isinstance(source, Template):
            for one in source.sources:
                self.note(one, frame)
        elif isinstance(source, Component) and source.component:
            self.numbers[source.component] = None
        else:
            self.always = True

    def add(self, inner: Uses) -> None:
        """A part of it looks at this."""
        self.numbers |= inner.numbers
        self.always = self.always or inner.always
