"""The state of one conversion: what the closures of a compiled map read and write.

Made by `adapters.hl7v2.to_fhir` for every message; the closures get it as their first argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from adapters.hl7v2.converted import Joined, Mapped, Remark, Source
from adapters.hl7v2.message import Message, Segment
from adapters.hl7v2.sites import Site

Translate = Callable[[str, str, str], list[dict[str, Any]] | None]
"""(canonical of a ConceptMap, system, code) to the codings it gives; None or none: it has none."""

Memo = dict[tuple[Any, ...], Any]
"""(closure, text or texts) to what was made of them."""

_MOST_REMARKS = 100
_MOST_REMEMBERED = 2048
_MOST_CONTEXTS = 32

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that FHIR's text cannot have."""


@lru_cache(maxsize=256)
def _untidy(
    field: str, component: str, repetition: str, escape: str, subcomponent: str
) -> re.Pattern[str]:
    """A field whose first repetition is empty though the field is not."""
    sign, again = re.escape(field), re.escape(repetition)
    blank = re.escape(f" {component}{subcomponent}")
    return re.compile(rf"{sign}(?:[{blank}]+(?:[{sign}{again}\r\n]|\Z)|{again})")


@lru_cache(maxsize=1024)
def _words(kind: str, version: str, sender: str, site: str, own: str) -> Mapping[str, str]:
    """What a message says about itself, by the word of the map language."""
    application, _, facility = sender.partition("|")
    namespace = f"urn:id:{quote(facility or application or site, safe='')}"
    of_sender = f"{namespace}:{quote(application, safe='')}"
    return MappingProxyType(
        {
            "kind": kind,
            "type": kind[:3],
            "trigger": kind[4:],
            "version": version,
            "sender": sender,
            "facility": namespace,
            "own": of_sender,
            "namespace": own or of_sender,
        }
    )


def _is_dirty(text: str) -> bool:
    """Whether there are characters that FHIR's text cannot have."""
    return not text.replace("\r", "").isprintable() and CONTROL.search(text) is not None


class Scope:
    """A group while its maps run: its segments, and what it has made by resource type."""

    __slots__ = ("made", "parent", "segments")

    def __init__(self, parent: Scope | None, segments: Mapping[str, list[Segment]]) -> None:
        self.parent = parent
        self.segments = segments
        self.made: dict[str, Mapped] = {}

    def find(self, resource_type: str) -> Mapped | None:
        """The latest of a type, of this group or one around it."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.made.get(resource_type)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def segment(self, name: str) -> Segment | None:
        """The first segment of a name, of this group or one around it."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.segments.get(name)
            if found:
                return found[0]
            scope = scope.parent
        return None


class Memory:
    """What closures of the maps of a site have made of texts, a memo for each context."""

    __slots__ = ("_memos",)

    def __init__(self) -> None:
        self._memos: dict[tuple[Any, ...], Memo] = {}

    def of(self, context: tuple[Any, ...]) -> Memo:
        """The memo for messages that say the same of themselves.

        Args:
            context: All that what is made of a text follows from.
        """
        found = self._memos.get(context)
        if found is not None and len(found) < _MOST_REMEMBERED:
            return found
        if len(self._memos) >= _MOST_CONTEXTS:
            self._memos.clear()
        self._memos[context] = found = {}
        return found


class Run:
    """One conversion.

    Attributes:
        tidy: No field begins with an empty repetition, or has a `""`.
        split: Delimiter below a text, by how deep it is: 1 a repetition, 2 a component.
        scope: Of the group at hand.
        segment: At hand.
        label: Field at hand, for remarks and sources.
        current, under: Resource at hand, and what it is added to, for `lacks`.
        namespace: Beginning of the systems of this sender that no site file names.
        plain: No text has escapes or characters that FHIR cannot have.
        present: Bits of the fields or components at hand that have a text.
        loops: Repetition at hand of each `$each` around, outermost first.
        memo: What closures have made of texts (`adapters.hl7v2.mapping.memory`).
        named: How often an identifier was given to a type, for `$distinct`.
        remarked: How often something was said, be it said before.
        problems: What datatype maps could not use: place within the field, message id, arguments.
        path, at, turn, notes: Where in the resource and in the message, and what came from where,
            while tracing.
    """

    __slots__ = (
        "at",
        "blank",
        "control_id",
        "counts",
        "current",
        "deletes",
        "dirty",
        "escape",
        "event",
        "identified",
        "joined",
        "kind",
        "label",
        "loops",
        "mapped",
        "memo",
        "message",
        "named",
        "namespace",
        "notes",
        "path",
        "plain",
        "present",
        "problems",
        "remarked",
        "remarks",
        "repetition",
        "scope",
        "seed",
        "segment",
        "site",
        "split",
        "tidy",
        "translate",
        "turn",
        "under",
        "words",
        "zone",
    )

    def __init__(
        self,
        message: Message,
        site: Site,
        event: int,
        translate: Translate | None,
        memory: Memory,
    ) -> None:
        """Begin.

        Args:
            message: To convert.
            site: Whose rules hold.
            event: When it happened, milliseconds since the epoch.
            translate: For `concept_maps` of the site.
            memory: Of the site's maps.
        """
        delimiters = message.delimiters
        self.message = message
        self.site = site
        self.zone = site.zone
        self.event = event
        self.translate = translate
        self.repetition = delimiters.repetition
        self.escape = delimiters.escape
        self.split = ("", delimiters.component, delimiters.subcomponent, "", "", "")
        self.blank = f" {delimiters.component}{delimiters.subcomponent}"
        kind = message.kind
        self.kind = kind
        sender, version = message.sender, message.version
        self.words = _words(kind, version, sender, site.name, site.systems.get("", ""))
        self.namespace = self.words["facility"]
        self.control_id = message.control_id
        self.deletes = '""' in message.text
        self.tidy = not self.deletes and _untidy(*delimiters[:5]).search(message.text, 9) is None
        self.dirty = _is_dirty(message.text)
        escapes = self.escape and self.escape in message.text[9:]
        self.plain = not self.dirty and not escapes
        self.seed = blake2b(
            f"{sender}\n{self.control_id}\n{message.text}".encode("utf-8", "surrogatepass")
        ).digest()
        self.scope = Scope(None, {})
        self.segment = message.header
        self.label = ""
        self.current: dict[str, Any] = {}
        self.under: dict[str, Any] = {}
        self.loops: list[str] = []
        self.mapped: list[Mapped] = []
        self.counts: dict[str, int] = {}
        self.memo = memory.of((delimiters, self.plain, self.dirty, kind, version, sender))
        self.remarked = 0
        self.named: dict[tuple[str, str, str], int] = {}
        self.identified: dict[tuple[str, str, str], Mapped] = {}
        self.joined: list[Joined] = []
        self.remarks: list[Remark] = []
        self.problems: list[tuple[str, str, tuple[tuple[str, str], ...]]] = []
        self.at = ""
        self.turn = 0
        self.present = 0
        self.path: list[str] = []
        self.notes: list[Source] = []

    def is_tidy(self, segment: Segment) -> bool:
        """`tidy` of one segment."""
        return all(
            '""' not in text and text.split(self.repetition, 1)[0].strip(self.blank)
            for text in segment.fields
            if text
        )

    def url(self, key: str) -> str:
        """`urn:uuid` of a resource: the same whenever this message is converted."""
        digest = blake2b(key.encode(), key=self.seed, digest_size=16).hexdigest()
        return (
            f"urn:uuid:{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
        )

    def add(self, resource: dict[str, Any], *, numbered: bool) -> Mapped:
        """A new resource of this message; without its identities yet.

        Args:
            resource: With `resourceType`.
            numbered: There may be several: `Observation[3]`.
        """
        name = resource["resourceType"]
        count = self.counts[name] = self.counts.get(name, 0) + 1
        key = f"{name}[{count}]" if numbered or count > 1 else name
        made = Mapped(key, self.url(key), resource, event=self.event)
        self.mapped.append(made)
        return made

    def place(self) -> str:
        """The segment at hand: `PID`, `OBX[3]`."""
        segment = self.segment
        several = len(self.message.by_name.get(segment.name, ())) > 1
        return f"{segment.name}[{segment.ordinal}]" if several else segment.name

    def remark(self, message: str, field: str = "", /, **arguments: str) -> None:
        """Say what a person should see.

        Args:
            message: Stable message id.
            field: `3.4` of the segment at hand; "" for the whole segment.
            **arguments: For its words.
        """
        self.remarked += 1
        if len(self.remarks) < _MOST_REMARKS:
            place = f"{self.place()}-{field}" if field else self.place()
            remark = Remark(message, place, tuple(arguments.items()))
            if remark not in self.remarks:
                self.remarks.append(remark)

    def problem(self, message: str, /, **arguments: str) -> None:
        """As `remark`, from a datatype or table map: noted until the field is known."""
        self.problems.append(("", message, tuple(arguments.items())))

    def settle(self, label: str) -> None:
        """Problems of datatype maps to remarks on a field."""
        for inner, message, arguments in self.problems:
            field = f"{label}.{inner}" if inner else label
            self.remark(message, field, **dict(arguments))
        self.problems.clear()
