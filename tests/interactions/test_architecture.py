"""Nobody goes round `hub.interactions.sight`: who reads the store itself stands in a list here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HUB = Path(__file__).parent.parent.parent / "hub"
ROOMS = ("interactions", "operations", "rest", "auth", "web", "console", "workflows", "events")
READS = frozenset(
    (
        "read",
        "read_many",
        "vread",
        "search",
        "history",
        "scan",
        "explain",
        "indexed_rows",
        "audit_records",
        "audit_rows",
    )
)

ALLOWED = {
    # It is what limits.
    ("interactions/sight.py", "read"),
    ("interactions/sight.py", "read_many"),
    ("interactions/sight.py", "vread"),
    ("interactions/sight.py", "history"),
    ("interactions/allowed_changes.py", "read"),
    # Their queries carry the limit of `rewriting.context_of`.
    ("interactions/trail.py", "search"),
    ("interactions/search.py", "explain"),  # for those without limits only
    ("interactions/conditional.py", "search"),
    ("interactions/include.py", "search"),
    ("interactions/include.py", "read_many"),  # of types without a limit
    ("interactions/include.py", "vread"),  # for those without limits only
    # Its queries carry the limit too; a Binary of concepts is opened by the CodeSystem that names
    # it, and no other content is.
    ("interactions/terminology_record.py", "search"),
    ("interactions/terminology_record.py", "read"),
    # After the change was tested: what it replaces or has become.
    ("interactions/commit.py", "read"),
    ("interactions/commit.py", "read_many"),
    ("interactions/preconditions.py", "read"),
    # The hub's own work; what it reads is shown to nobody.
    ("interactions/indexing.py", "scan"),
    ("interactions/indexing.py", "search"),
    ("interactions/registry.py", "read"),
    ("interactions/search_parameters.py", "scan"),
    # Asks `sight.sees_all` first.
    ("operations/meta.py", "scan"),
    # Codes of search parameters, for metrics and for the console's status.
    ("rest/health.py", "read"),
    ("web/status.py", "read_many"),
}


def _reads(tree: ast.AST) -> Iterator[str]:
    """Reading methods of a store that code names, called or passed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in READS:
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if name.lstrip("_").endswith("store"):
                yield node.attr


def _found() -> set[tuple[str, str]]:
    return {
        (file.relative_to(HUB).as_posix(), method)
        for room in ROOMS
        for file in (HUB / room).rglob("*.py")
        for method in _reads(ast.parse(file.read_text()))
    }


def test_nobody_reads_the_store_but_who_may() -> None:
    assert _found() - ALLOWED == set()


def test_the_list_names_nobody_who_does_not() -> None:
    assert ALLOWED - _found() == set()


def test_operations_are_run_by_perform_only() -> None:
    """`Operation.perform` asks whether whoever calls may."""
    for room in ("interactions", "operations", "rest"):
        for file in (HUB / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and node.attr == "run":
                    owner = ast.unparse(node.value)
                    assert "operation" not in owner.lower() or owner == "self", file
                    assert owner != "found", file


def test_every_operation_says_what_it_needs() -> None:
    from hub.interactions.operation import ADMIN, OPEN
    from hub.operations import OPERATIONS

    needs = {name: operation.needs for name, operation in OPERATIONS.items()}
    assert {name for name, need in needs.items() if need == ADMIN} == {"expunge"}
    assert {name for name, need in needs.items() if need == OPEN} == {
        "batch-validate-code",
        "convert",
        "expand",
        "fhirpath",
        "lookup",
        "subsumes",
        "translate",
        "validate",
        "validate-code",
    }
    assert all(need in "crudsadmin" for need in needs.values())
