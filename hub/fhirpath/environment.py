"""What surrounds an evaluation: the resource, the services, the clock, the limits.

`Environment` is given by the caller (http://hl7.org/fhirpath/N1/#environment-variables);
`Context` is the one mutable thing of an evaluation, made only for expressions that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from types import MappingProxyType
from typing import Any

from hub.fhirpath.errors import FHIRPathLimitError
from hub.fhirpath.item import Item
from hub.fhirpath.resolver import ConformsTo, MemberOf, Resolver

Trace = Callable[[str, list[Item]], None]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


_CLOCK_EVERY = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an evaluation is stopped with FHIRPathLimitError.

    Attributes:
        steps: Iterations of all loops together, and items produced by them.
        items: Items of one collection.
        text: Characters of one computed string.
        milliseconds: Wall time.
    """

    steps: int = 1_000_000
    items: int = 100_000
    text: int = 1_000_000
    milliseconds: int = 2_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may ask for besides the item it runs on.

    Attributes:
        resource: `%resource`: the resource that holds the item; default: the item itself
            when it is a resource.
        root_resource: `%rootResource`: the container of a contained resource; default:
            `resource`.
        resolver: For resolve(); without it only contained resources and entries of the
            Bundle are found.
        terminology: For memberOf() and subsumes().
        conformance: For conformsTo(); without it base types are told, profiles are refused.
        narrative: For htmlChecks(): whether the XHTML of a narrative is allowed.
        now: For now(), today(), timeOfDay(); default: the clock, once per evaluation.
        variables: More `%name` variables: JSON values, System values or Items.
        trace: Receives the name and the items of each trace().
        limits: Given: the expression is not trusted and neither is the resource's structure;
            it runs in the slower, guarded mode. None: it comes from definitions and the
            resource was validated; only what can grow without bound is guarded, by the
            default limits.
    """

    resource: Any = None
    root_resource: Any = None
    resolver: Resolver | None = None
    terminology: MemberOf | None = None
    conformance: ConformsTo | None = None
    narrative: Callable[[str], bool] | None = None
    now: datetime | None = None
    variables: Mapping[str, Any] = field(default_factory=_nothing)
    trace: Trace | None = None
    limits: Limits | None = None


EMPTY_ENVIRONMENT = Environment()


class Context:
    """State of one evaluation; making one costs next to nothing, what it holds is found on use.

    Attributes:
        environment: As given by the caller.
        root: The item the expression runs on: `%context`.
        index: `$index` of the innermost loop that asked for it.
        total: `$total` of the innermost aggregate().
    """

    index = 0
    total: Any = ()
    _variables: dict[int, Any] | None = None
    _now: datetime | None = None
    _steps = -1
    _clock = 0
    _deadline = 0.0

    def __init__(self, root: Any, environment: Environment | None) -> None:
        self.environment = environment or EMPTY_ENVIRONMENT
        self.root = root

    @property
    def resource(self) -> Any:
        """`%resource` as JSON."""
        resource = self.environment.resource
        if resource is None:
            resource = self.root
        return resource.value if resource.__class__ is Item else resource

    @property
    def root_resource(self) -> Any:
        """`%rootResource` as JSON."""
        found = self.environment.root_resource
        return self.resource if found is None else found

    @property
    def limits(self) -> Limits:
        """Where to stop."""
        return self.environment.limits or DEFAULT_LIMITS

    @property
    def variables(self) -> dict[int, Any]:
        """Collections of defineVariable(), by slot."""
        if self._variables is None:
            self._variables = {}
        return self._variables

    @property
    def now(self) -> datetime:
        """The evaluation's one point in time, with its offset."""
        if self._now is None:
            self._now = self.environment.now or datetime.now(UTC).astimezone()
        return self._now

    def spend(self, steps: int) -> None:
        """Count steps of a loop.

        Raises:
            FHIRPathLimitError: Steps or time are used up.
        """
        if not self._deadline:
            limits = self.limits
            self._deadline = monotonic() + limits.milliseconds / 1000
            self._steps = limits.steps
            self._clock = max(0, self._steps - _CLOCK_EVERY)
        self._steps -= steps
        if self._steps < self._clock:
            self._look()

    def _look(self) -> None:
        if self._steps < 0:
            raise FHIRPathLimitError("fhirpath-limit-steps", limit=self.limits.steps)
        if monotonic() > self._deadline:
            raise FHIRPathLimitError("fhirpath-limit-time", limit=self.limits.milliseconds)
        self._clock = max(0, self._steps - _CLOCK_EVERY)

    def hold(self, count: int, added: int | None = None) -> None:
        """Refuse a collection of more items than allowed, and count the added ones as steps.

        Args:
            count: Its items.
            added: Those that are new since it was last held; default: all.
        """
        if count > self.limits.items:
            raise FHIRPathLimitError("fhirpath-limit-items", limit=self.limits.items)
        self.spend(count if added is None else added)
