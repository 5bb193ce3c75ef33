"""Rewrite rules: from what a search says to what a store understands.

`RULES` in order: those that make new structure, then access, then those that turn modifiers and
special parameters into plain criteria, then tidying up. A rule takes a query and gives a query;
it has no I/O: what needs it (expansions) is fetched before the rule runs.
Called by interactions on every search and condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.search.query import Query
from hub.search.rewrite.chain import rewrite_chains
from hub.search.rewrite.context import RewriteContext
from hub.search.rewrite.hierarchy import rewrite_hierarchies
from hub.search.rewrite.identity import rewrite_columns
from hub.search.rewrite.missing import rewrite_missing
from hub.search.rewrite.negation import rewrite_negations
from hub.search.rewrite.scope import rewrite_scope
from hub.search.rewrite.simplify import simplify
from hub.search.rewrite.terminology import fetch_expansions, rewrite_terminology
from hub.search.rewrite.typed import rewrite_type_modifiers
from hub.search.rewrite.untyped import rewrite_untyped_references

Rule = Callable[[Query, RewriteContext], Query]

RULES: tuple[Rule, ...] = (
    rewrite_hierarchies,
    rewrite_scope,
    rewrite_missing,
    rewrite_negations,
    rewrite_terminology,
    rewrite_type_modifiers,
    rewrite_untyped_references,
    rewrite_columns,
    rewrite_chains,
    simplify,
)


async def apply(query: Query, context: RewriteContext) -> Query:
    """The query that a store answers.

    Args:
        query: From `hub.search.parse`.
        context: What the rules need.

    Raises:
        BadRequest: A modifier cannot be answered here.
    """
    if context.expander is None:
        return apply_rules(query, context)
    for rule in RULES:
        if rule is rewrite_terminology:
            expansions = await fetch_expansions(query, context.expander)
            if expansions:
                context = replace(context, expansions=expansions)
        query = rule(query, context)
    return query


def apply_rules(query: Query, context: RewriteContext) -> Query:
    """`apply` with the expansions that the context holds already."""
    for rule in RULES:
        query = rule(query, context)
    return query


def trace(query: Query, context: RewriteContext) -> list[tuple[str, Query]]:
    """The query after each rule that changed it, with the rule's name.

    Args:
        query: From `hub.search.parse`.
        context: As for `apply_rules`.
    """
    steps: list[tuple[str, Query]] = []
    for rule in RULES:
        changed = rule(query, context)
        if changed != query:
            steps.append((rule.__name__, changed))
        query = changed
    return steps


__all__ = ["RULES", "RewriteContext", "Rule", "apply", "apply_rules", "trace"]
