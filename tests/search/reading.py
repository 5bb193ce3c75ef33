"""How the cases of tests/cases/search are read: a URL, and under it what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from hub.errors import BadRequest
from hub.search import registry
from hub.search.explain import describe_include, describe_query
from hub.search.parse import parse
from hub.search.query import SearchRequest
from hub.search.rewrite import RewriteContext, apply_rules

BASE = "http://hub.example.org/fhir"
ZONE = "Asia/Shanghai"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CASES = Path(__file__).parent.parent / "cases" / "search"


def cases(pattern: str = "*.txt") -> Iterator[tuple[str, str, list[str]]]:
    """File name, URL and expected lines of every case."""
    for path in sorted((CASES / "urls").glob(pattern)):
        url, expected = "", []
        for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
            if line.startswith(("#", "    ")) and url and line.startswith("    "):
                expected.append(line.strip())
            elif not line.startswith("#"):
                if url:
                    yield path.stem, url, expected
                url, expected = line.strip(), []


def read(url: str, *, strict: bool = False) -> SearchRequest:
    """The request of a URL; its query is as written, `+` in values is kept."""
    path, _, text = url.partition("?")
    parameters = parse_qsl(text.replace("+", "%2B"), keep_blank_values=True)
    return parse(
        registry.core(), path, parameters, zone=ZONE, base=BASE, strict=strict, clock=lambda: NOW
    )


def outcome(url: str) -> list[str]:
    """What comes of a URL after all rules, line by line, as in the case files."""
    try:
        request = read(url)
        query = apply_rules(request.query, RewriteContext(registry.core()))
    except BadRequest as error:
        return [f"! {issue.code} {issue.message}" for issue in error.issues]
    said = [describe_query(query).replace(" count 20", "")]
    said += [f"then {describe_include(include)}" for include in request.includes]
    said += [f"ignored {name}".strip() for name in request.ignored]
    said += [f"empty {name}" for name in request.empty]
    if request.summary:
        said.append(f"summary {request.summary}")
    if request.elements:
        said.append(f"elements {','.join(request.elements)}")
    if request.explain:
        said.append("explain")
    return said
