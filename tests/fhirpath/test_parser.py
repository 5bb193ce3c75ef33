"""The parser: trees, positions of errors, bounds on hostile text."""

from __future__ import annotations

import pytest

from hub.fhirpath import FHIRPathSyntaxError, syntax
from hub.fhirpath.lexer import MAX_LENGTH, tokens
from hub.fhirpath.parser import parse_expression
from hub.fhirpath.syntax import write


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a.b[0].c(1, 'x')", "a.b[0].c(1, 'x')"),
        ("1+2*3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("a or b and c or d", "(a or (b and c) or d)"),
        ("a | b | c is D", "(a | b | (c is D))"),
        ("-a.b + c", "((-a.b) + c)"),
        ("a implies b implies c", "((a implies b) implies c)"),
        ("x as FHIR.Quantity", "(x as FHIR.Quantity)"),
        ("`a b`.`div`", "`a b`.`div`"),
        ("a.contains('x') contains 'y'", "(a.`contains`('x') contains 'y')"),
        ("%`vs-x` & %ucum", "(%`vs-x` & %ucum)"),
        ("a.sort(-b, c desc, d asc)", "a.sort((-b), c desc, d asc)"),
        ("4 days = 4 'd'", "(4 days = 4 'd')"),
        ("@2014-01-01T10:00Z", "@2014-01-01T10:00Z"),
        ("'it\\'s \\\\ \\n'", "'it\\'s \\\\ \\n'"),
    ],
)
def test_an_expression_has_one_tree(text: str, written: str) -> None:
    assert write(parse_expression(text)) == written
    assert parse_expression(written) == parse_expression(text)


def test_positions_count_from_one() -> None:
    tree = parse_expression("name.given")
    assert isinstance(tree, syntax.Member)
    assert tree.position == 6
    assert tree.source is not None
    assert tree.source.position == 1


@pytest.mark.parametrize(
    ("text", "position"),
    [("1 +", 4), ("name..given", 6), ("a b", 3), ("  #", 3), ("a.where('x", 9), ("(a", 3)],
)
def test_an_error_says_where(text: str, position: int) -> None:
    with pytest.raises(FHIRPathSyntaxError) as caught:
        parse_expression(text)
    assert caught.value.position == position
    assert caught.value.issues[0].arguments["position"] == position


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "a.where(" * 5_000 + "1" + ")" * 5_000,
        "a" + ".a" * 20_000,
        "a" + "[0]" * 10_000,
        "-" * 30_000 + "1",
        "1" + " + 1" * 10_000,
        "a" + ".is(" * 10_000,
        "iif(true, " * 1_000,
        "'" + "\\u" * 20_000,
        "/*" * 30_000,
        "a " * 30_000,
    ],
)
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(FHIRPathSyntaxError):
        parse_expression(text)


def test_a_long_series_is_no_deep_tree() -> None:
    tree = parse_expression(" or ".join(["a"] * 5_000))
    assert isinstance(tree, syntax.Series)
    assert len(tree.operands) == 5_000


def test_text_over_the_limit_is_not_looked_at() -> None:
    with pytest.raises(FHIRPathSyntaxError, match="fhirpath-too-long"):
        tokens(" " * (MAX_LENGTH + 1))
