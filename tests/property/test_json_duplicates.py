"""A key that an object has twice is always found, however texts are written."""

from __future__ import annotations

import json as standard
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import BadRequest
from hub.model import json

LETTERS = st.sampled_from(
    ["a", "b", r"\"", r"\\", r"\u0022", r"\u005c", r"\u005b", "[", "}", r"\/", "é", r"\u00e9"]
)
TEXTS = st.lists(LETTERS, max_size=4).map(lambda parts: f'"{"".join(parts)}"')


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arrays = st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    return st.one_of(arrays, objects(inner))


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(TEXTS, inner).map(": ".join)
    return st.lists(pairs, max_size=4).map(lambda items: f"{{ {','.join(items)} }}")


VALUES = st.recursive(st.one_of(TEXTS, st.sampled_from(["1", "1.0", "true", "null"])), _larger)


def repeats(text: str) -> bool:
    """Whether some object of the text has a key twice, by the standard library's reader."""
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len(dict(pairs)) < len(pairs)

    standard.loads(text, object_pairs_hook=look)
    return found


@settings(max_examples=2000, deadline=None)
@given(objects(VALUES))
def test_a_repeated_key_is_refused_and_nothing_else_is(text: str) -> None:
    if repeats(text):
        with pytest.raises(BadRequest) as refused:
            json.decode(text.encode())
        assert [issue.message for issue in refused.value.issues] == ["json-duplicate-key"]
    else:
        json.decode(text.encode())
