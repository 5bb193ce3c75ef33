"""FHIRPath: no text breaks the parser, every tree survives writing, both modes agree."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.fhirpath import (
    DEFAULT_LIMITS,
    Environment,
    FHIRPathError,
    FHIRPathSyntaxError,
    compile,
    schema,
    syntax,
)
from hub.fhirpath.functions import functions
from hub.fhirpath.functions.boundaries import decimal_boundary
from hub.fhirpath.parser import parse_expression
from hub.fhirpath.syntax import write
from hub.fhirpath.temporal import Temporal, parse
from tests.property.resources import resources

SLOW = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)

PIECES = st.sampled_from(
    [
        "name", "given", ".", "(", ")", "[", "]", "{", "}", "'", "`", "\\", "\\u00", "@", "@2014",
        "@T1", "T", ":", "-", "+", "*", "/", "//", "/*", "*/", "|", "&", "=", "!=", "!~", "~", "<",
        "<=", "%", "$this", "$index", ",", " ", "\n", "\x00", "\ud800", "张", "1", "1.", ".5", "is",
        "as", "and", "or", "implies", "in", "contains", "div", "mod", "true", "where(", "exists()",
        "day", "'mg'", "FHIR.Patient", "sort(", "desc", "iif(", "9" * 40, "\N{ZERO WIDTH SPACE}",
    ]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_is_an_expression_or_a_syntax_error(text: str) -> None:
    try:
        tree = parse_expression(text)
    except FHIRPathSyntaxError as problem:
        assert 0 <= problem.position <= len(text) + 1  # noqa: PT017 - no error is as good
        return
    assert parse_expression(write(tree)) == tree
    for strict in (False, True):
        try:
            compile(text, strict=strict, keep=False).evaluate(None)
        except FHIRPathError as problem:
            assert problem.status == 400  # noqa: PT017 - no error is as good


# --- trees -----------------------------------------------------------------------------------

NAMES = st.one_of(
    st.sampled_from(["name", "Patient", "div", "is", "contains", "true", "x y", "`", "a'b", "张"]),
    st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable()),
)
DATES = st.sampled_from(["2014", "2014-02", "2014-02-28"]).map(lambda text: parse(text, "Date"))
MOMENTS = st.sampled_from(
    ["2014", "2014-02-28", "2014-02-28T10", "2014-02-28T10:11:12.5+08:00", "2014-02-28T10:11Z"]
).map(lambda text: parse(text, "DateTime"))
TIMES = st.sampled_from(["10", "10:11", "10:11:12.123"]).map(lambda text: parse(text, "Time"))
DECIMALS = st.decimals(0, 10**9, places=3)
LITERALS = st.one_of(
    st.booleans(), st.integers(0, 2**31 - 1), DECIMALS, st.text(max_size=8), DATES, MOMENTS, TIMES
).map(syntax.Literal)
QUANTITIES = st.one_of(
    st.builds(
        syntax.QuantityLiteral, DECIMALS, st.sampled_from(["mg", "1", "a'b", ""]), st.just(False)
    ),
    st.builds(syntax.QuantityLiteral, DECIMALS, st.sampled_from(["day", "years"]), st.just(True)),
)
LEAVES = st.one_of(
    LITERALS,
    QUANTITIES,
    st.just(syntax.Empty()),
    st.sampled_from(["this", "index", "total"]).map(syntax.Special),
    NAMES.map(syntax.Variable),
    st.builds(syntax.Member, st.none(), NAMES),
)
BINARY = ["*", "/", "div", "mod", "+", "-", "&", "<=", "<", ">", ">=", "=", "~", "!=", "!~", "in",
          "contains", "xor", "implies"]  # fmt: skip


def _larger(inner: st.SearchStrategy[syntax.Node]) -> st.SearchStrategy[syntax.Node]:
    return st.one_of(
        st.builds(syntax.Member, inner, NAMES),
        st.builds(
            syntax.Call,
            st.one_of(st.none(), inner),
            NAMES.filter(lambda name: name != "sort"),
            st.lists(inner, max_size=3).map(tuple),
        ),
        st.builds(syntax.Indexer, inner, inner),
        st.builds(syntax.Polarity, st.sampled_from("+-"), inner),
        st.builds(syntax.Binary, st.sampled_from(BINARY), inner, inner),
        st.builds(
            syntax.Series,
            st.sampled_from(["|", "and", "or"]),
            st.lists(inner, min_size=2, max_size=4).map(tuple),
        ),
        st.builds(
            syntax.TypeOperation,
            st.sampled_from(["is", "as"]),
            inner,
            st.sampled_from(["Patient", "FHIR.Patient", "System.String", "x y"]),
        ),
    )


@SLOW
@given(st.recursive(LEAVES, _larger, max_leaves=12))
def test_a_tree_written_and_parsed_is_the_same_tree(tree: syntax.Node) -> None:
    assert parse_expression(write(tree)) == tree


# --- both modes ------------------------------------------------------------------------------

TEXTS = ["'a'", "''", "'http://e'", "'2026-03-01'", "'1'"]
NO_ARGUMENT = sorted(
    name
    for name, known in functions().items()
    if known.least == 0 and name not in ("now", "today", "timeOfDay", "htmlChecks")
)
TYPES = ["string", "code", "Quantity", "Reference", "Extension", "boolean", "System.String",
         "dateTime", "Element", "BackboneElement", "Resource", "HumanName"]  # fmt: skip


@st.composite
def paths(draw: st.DrawFn, own: str, steps: int) -> tuple[str, str]:
    """A path over elements the type has, and the type it leads to."""
    text = draw(
        st.sampled_from(["$this", own] if "." not in own and own[:1].isupper() else ["$this"])
    )
    for _ in range(draw(st.integers(0, steps))):
        known = sorted(schema.steps(own))
        if not known:
            break
        step = schema.steps(own)[draw(st.sampled_from(known))]
        text += f".`{step.name}`"
        kind = draw(st.sampled_from(step.types))
        if step.choice and draw(st.booleans()):
            text += f".ofType({kind})"
        own = kind
    return text, own


@st.composite
def expressions(draw: st.DrawFn, own: str, depth: int = 3) -> str:
    """An expression on items of a type; most of them fit it."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(
            st.one_of(
                paths(own, 2).map(lambda found: found[0]),
                st.sampled_from(TEXTS),
                st.sampled_from(["1", "2.50", "{}", "true", "@2026", "4 days"]),
            )
        )
    path, kind = draw(paths(own, 3))
    inner = expressions(kind, depth - 1)
    outer = expressions(own, depth - 1)
    form = draw(st.integers(0, 9))
    if form == 0:
        operator = draw(st.sampled_from([*BINARY, "|", "and", "or"]))
        return f"({draw(outer)} {operator} {draw(outer)})"
    if form == 1:
        return (
            f"({draw(outer)} {draw(st.sampled_from(['is', 'as']))} {draw(st.sampled_from(TYPES))})"
        )
    if form in (2, 3):
        loop = draw(st.sampled_from(["where", "select", "exists", "all", "repeat", "sort", "iif"]))
        more = f", {draw(inner)}" if loop == "iif" else ""
        return f"{path}.{loop}({draw(inner)}{more})"
    if form == 4:
        two = ["union", "combine", "intersect", "exclude", "subsetOf", "supersetOf", "aggregate"]
        return f"{path}.{draw(st.sampled_from(two))}({draw(outer)})"
    if form == 5:
        name = draw(
            st.sampled_from(
                [
                    "extension",
                    "startsWith",
                    "contains",
                    "matches",
                    "indexOf",
                    "substring",
                    "skip",
                    "take",
                    "join",
                    "trace",
                    "replaceMatches",
                ]
            )
        )
        return f"{path}.{name}({draw(st.sampled_from([*TEXTS, '1', '{}']))})"
    if form == 6:
        return f"{path}[{draw(st.sampled_from(['0', '1', '{}', '$this.count()']))}]"
    if form == 7:
        return f"{path}.where($index > 0 and {draw(inner)}).first()"
    if form == 8:
        return f"%resource.{draw(st.sampled_from(['id', 'meta', 'descendants()', 'contained']))}"
    return f"{path}.{draw(st.sampled_from(NO_ARGUMENT))}()"


def _outcome(text: str, own: str | None, resource: Any, environment: Environment) -> Any:
    try:
        compiled = compile(text, root_type=own, keep=False)
        items = compiled.evaluate(resource, environment)
    except FHIRPathError:
        return "refused"
    return [(item.type, repr(item.value), item.element) for item in items]


@SLOW
@given(st.data())
def test_all_modes_give_the_same(data: st.DataObject) -> None:
    resource = data.draw(resources())
    own = resource["resourceType"]
    text = data.draw(expressions(own))
    trusted, guarded = Environment(now=NOW), Environment(now=NOW, limits=DEFAULT_LIMITS)
    expected = _outcome(text, None, resource, guarded)
    assert _outcome(text, own, resource, trusted) == expected, text
    assert _outcome(text, None, resource, trusted) == expected, text


# --- values ----------------------------------------------------------------------------------

TEMPORALS = st.one_of(MOMENTS, DATES)


@given(TEMPORALS, TEMPORALS)
def test_comparison_turns_around(left: Temporal, right: Temporal) -> None:
    def compared(one: Temporal, operator: str, other: Temporal) -> Any:
        return compile(f"{one.literal} {operator} {other.literal}").evaluate_values(None)

    assert compared(left, "<", right) == compared(right, ">", left)
    assert compared(left, "=", right) == compared(right, "=", left)
    assert compared(left, "<=", right) == compared(right, ">=", left)


@given(st.lists(st.one_of(LITERALS, QUANTITIES), max_size=6))
def test_a_union_holds_no_two_equal_items(literals: list[syntax.Node]) -> None:
    text = "({}" + "".join(f" | {write(literal)}" for literal in literals) + ")"
    assert compile(f"{text}.isDistinct()").boolean(None, empty=False)
    count = compile(f"{text}.count()").evaluate_values(None)[0]
    assert count <= len(literals)
    for literal in literals:
        if write(literal) != "''":
            assert compile(f"{write(literal)} in {text}").boolean(None)


@given(st.decimals(-(10**6), 10**6, places=3), st.integers(3, 12))
def test_a_value_lies_within_its_boundaries(number: Decimal, places: int) -> None:
    low = decimal_boundary(number, places, high=False)
    high = decimal_boundary(number, places, high=True)
    assert low is not None
    assert high is not None
    assert low <= number <= high
