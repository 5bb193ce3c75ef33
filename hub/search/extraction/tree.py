"""The routes of all parameters of a type, joined to one tree by their common steps.

Built by `hub.search.extraction.plan`, compiled by `hub.search.extraction.walker`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.search.extraction.routes import Get, Refers, Route, Step


@dataclass(frozen=True, slots=True)
class Leaf:
    """A parameter that indexes the values of a branch.

    Attributes:
        key: Its key, or a component's index.
        type: Its type.
        folding: How its tokens fold.
        target: Only references to this type; "" any.
        compartments: Compartments that it puts the resource into, by target type.
    """

    key: int
    type: str
    folding: Callable[[str], str] | None = None
    target: str = ""
    compartments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: a tree of its own below the composite's element.

    Attributes:
        kind: The part's parameter type.
        branch: Tree whose leaves have the component's index as key.
        of_resource: The tree starts at the resource (`%resource.`), not at the element.
    """

    kind: str
    branch: Branch
    of_resource: bool = False


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite parameter on a branch; those of equal signature have equal components."""

    key: int
    signature: tuple[tuple[str, ...], ...]
    components: tuple[Component, ...]


@dataclass(slots=True)
class Branch:
    """A place in a resource.

    Attributes:
        type: FHIR type there.
        gets: Branches by JSON key.
        filters: Branches of those elements alone that pass a filter.
        leaves: What indexes the values here.
        composites: Composites whose element this is.
    """

    type: str
    gets: dict[Get, Branch] = field(default_factory=dict)
    filters: dict[Step, Branch] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    composites: list[Composite] = field(default_factory=list)

    def at(self, route: Route, types: tuple[str, ...]) -> Branch:
        """The branch where a route ends, grown if need be; Refers steps are left to the leaf.

        Args:
            route: From this branch.
            types: FHIR type after each step.
        """
        branch = self
        for step, type_name in zip(route.steps, types, strict=True):
            if isinstance(step, Refers):
                continue
            if isinstance(step, Get):
                branch = branch.gets.setdefault(step, Branch(type_name))
            else:
                branch = branch.filters.setdefault(step, Branch(type_name))
        return branch

    def add(self, leaf: Leaf) -> None:
        """Index the values here, once."""
        if leaf not in self.leaves:
            self.leaves.append(leaf)
