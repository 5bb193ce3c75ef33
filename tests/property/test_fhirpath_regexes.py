"""Regular expressions: walking all states gives what backtracking gives; none takes long."""

from __future__ import annotations

import re
from contextlib import suppress
from time import process_time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.fhirpath.regexes import CostlyPattern, _machine, _walk, weighed

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\S", "^", "$", "c"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,}", "*?", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    )


PATTERNS = st.recursive(ATOMS, _larger, max_leaves=8)
TEXTS = st.text("abc1\n", max_size=9)


@settings(max_examples=1000, deadline=None)
@example("^$", "\n", False)
@example("a$", "a\n", False)
@example("a$", "a\n", True)
@given(PATTERNS, TEXTS, st.booleans())
def test_walking_agrees_with_backtracking(pattern: str, text: str, full: bool) -> None:
    compiled = re.compile(pattern, re.DOTALL)
    expected = compiled.fullmatch(text) if full else compiled.search(text)
    machine, final = _machine(weighed(pattern))
    assert _walk(machine, final, text, full) is (expected is not None)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, st.sampled_from(["a", "ab", "1", "\n"]), st.integers(0, 3000))
def test_no_pattern_takes_long(pattern: str, unit: str, times: int) -> None:
    started = process_time()
    for full in (False, True):
        with suppress(CostlyPattern):
            weighed(pattern).matches(unit * times + "!", full)
    assert process_time() - started < 10
