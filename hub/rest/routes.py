"""The routes of the FHIR base: one table, matched by a walk over the path's segments.

Adding an interaction adds a line to `ROUTES`. Called by `hub.rest.dispatcher`.
Spec: https://hl7.org/fhir/R4/http.html#summary
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.errors import MethodNotAllowed, NotFound, fault
from hub.rest.exchange import Handler
from hub.rest.handlers.bundle import bundle
from hub.rest.handlers.capabilities import capabilities
from hub.rest.handlers.create import create
from hub.rest.handlers.delete import conditional_delete, delete
from hub.rest.handlers.history import history
from hub.rest.handlers.operation import operation
from hub.rest.handlers.patch import conditional_patch, patch
from hub.rest.handlers.read import read, vread
from hub.rest.handlers.search import search, search_by_post
from hub.rest.handlers.update import conditional_update, update


class Interaction(NamedTuple):
    """What a method does on a route.

    Attributes:
        name: restful-interaction code, for logs, metrics and audit.
        handler: What answers.
    """

    name: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table.

    Attributes:
        template: Below the base: `/{type}/{id}`; logs show it instead of the path.
        methods: Interactions by method; HEAD goes the way of GET.
        allow: Value of the Allow header.
        rest_at: Index of the segment that goes to `Request.rest`, -1 without.
        has_type: The first segment is a type.
        has_id: The second segment is an id.
    """

    template: str
    methods: Mapping[str, Interaction]
    allow: bytes
    rest_at: int
    has_type: bool
    has_id: bool


_OPERATION = {
    "GET": Interaction("operation", operation),
    "POST": Interaction("operation", operation),
}

_TABLE: tuple[tuple[str, Mapping[str, Interaction]], ...] = (
    (
        "",
        {
            "GET": Interaction("search-system", search),
            "POST": Interaction("transaction", bundle),
        },
    ),
    ("/metadata", {"GET": Interaction("capabilities", capabilities)}),
    ("/_history", {"GET": Interaction("history-system", history)}),
    ("/_search", {"POST": Interaction("search-system", search_by_post)}),
    ("/{$operation}", _OPERATION),
    (
        "/{type}",
        {
            "GET": Interaction("search-type", search),
            "POST": Interaction("create", create),
            "PUT": Interaction("update-conditional", conditional_update),
            "PATCH": Interaction("patch-conditional", conditional_patch),
            "DELETE": Interaction("delete-conditional", conditional_delete),
        },
    ),
    ("/{type}/_search", {"POST": Interaction("search-type", search_by_post)}),
    ("/{type}/_history", {"GET": Interaction("history-type", history)}),
    ("/{type}/{$operation}", _OPERATION),
    (
        "/{type}/{id}",
        {
            "GET": Interaction("read", read),
            "PUT": Interaction("update", update),
            "PATCH": Interaction("patch", patch),
            "DELETE": Interaction("delete", delete),
        },
    ),
    ("/{type}/{id}/_history", {"GET": Interaction("history-instance", history)}),
    ("/{type}/{id}/_history/{version}", {"GET": Interaction("vread", vread)}),
    ("/{type}/{id}/{$operation}", _OPERATION),
    ("/{type}/{id}/{member}", {"GET": Interaction("search-compartment", search)}),
    ("/{type}/{id}/{member}/_search", {"POST": Interaction("search-compartment", search_by_post)}),
)


def _route(template: str, methods: Mapping[str, Interaction]) -> Route:
    steps = template.split("/")[1:]
    both = dict(methods)
    if "GET" in both:
        both["HEAD"] = both["GET"]
    last = len(steps) - 1
    rest_at = -1
    if "{member}" in steps:
        rest_at = steps.index("{member}")
    elif steps and steps[-1] in ("{version}", "{$operation}"):
        rest_at = last
    return Route(
        template=template or "/",
        methods=both,
        allow=", ".join((*both, "OPTIONS")).encode(),
        rest_at=rest_at,
        has_type="{type}" in steps,
        has_id="{id}" in steps,
    )


ROUTES = tuple(_route(template, methods) for template, methods in _TABLE)


@dataclass(slots=True)
class _Node:
    """A step of the tree: literals first, then `$...`, then anything."""

    literals: dict[str, _Node] = field(default_factory=dict)
    operation: _Node | None = None
    variable: _Node | None = None
    route: Route | None = None

    def child(self, step: str) -> _Node:
        """The node below for a template's step, made if need be."""
        if step == "{$operation}":
            self.operation = self.operation or _Node()
            return self.operation
        if step.startswith("{"):
            self.variable = self.variable or _Node()
            return self.variable
        return self.literals.setdefault(step, _Node())


def _tree(routes: Sequence[Route]) -> _Node:
    root = _Node()
    for route in routes:
        node = root
        for step in route.template.split("/")[1:]:
            if step:
                node = node.child(step)
        node.route = route
    return root


_ROOT = _tree(ROUTES)


def match(segments: Sequence[str]) -> Route:
    """The route of a path.

    Args:
        segments: Decoded, none empty.

    Raises:
        NotFound: There is none.
    """
    node: _Node | None = _ROOT
    for segment in segments:
        assert node is not None
        node = node.literals.get(segment) or (
            node.operation if segment[0] == "$" else node.variable
        )
        if node is None:
            raise NotFound(fault("not-found", "path-unknown"))
    assert node is not None
    if node.route is None:
        raise NotFound(fault("not-found", "path-unknown"))
    return node.route


def interaction(route: Route, method: str) -> Interaction:
    """What a method does on a route.

    Raises:
        MethodNotAllowed: Nothing; the caller sends `route.allow`.
    """
    found = route.methods.get(method)
    if found is None:
        raise MethodNotAllowed(fault("not-supported", "method-not-allowed", method=_shown(method)))
    return found


def _shown(method: str) -> str:
    return method[:16] if method.isascii() and method.isalpha() else "?"
