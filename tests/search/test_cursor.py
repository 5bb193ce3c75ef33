"""Page cursors cannot be made, changed or moved by a client."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BadRequest
from hub.search import registry
from hub.search.cursor import CursorCodec, fingerprint
from hub.search.parse import parse
from hub.search.query import Position, SearchRequest
from tests.search.reading import BASE, ZONE

SECRET = b"a secret of the server"
CODEC = CursorCodec(SECRET)
VALUES = st.lists(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=40)
)


@given(VALUES)
def test_a_cursor_brings_its_position_back(values: list[int | float | str | None]) -> None:
    position = Position(tuple(values))
    assert CODEC.decode(CODEC.encode(position, "abc"), "abc") == position


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_but_a_cursor_is_taken(text: str) -> None:
    with pytest.raises(BadRequest):
        CODEC.decode(text, "abc")


def test_a_changed_cursor_is_refused() -> None:
    cursor = CODEC.encode(Position((5, "x")), "abc")
    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        try:
            assert CODEC.decode(changed, "abc") == Position((5, "x"))
        except BadRequest:
            continue
        # The last character may hold bits that base64 leaves out.
        assert place == len(cursor) - 1


def test_a_cursor_tells_nothing_of_the_row_where_its_page_ends() -> None:
    position = Position(("zhang xiaoming", "1970-03-01", 4711))
    cursor = CODEC.encode(position, "abc")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for piece in (b"zhang", b"xiaoming", b"1970", msgspec.msgpack.encode(4711)):
        assert piece not in raw
    assert CODEC.encode(position, "abc") != cursor


def test_a_cursor_is_short_and_holds_in_every_worker_and_after_a_restart() -> None:
    cursor = CODEC.encode(Position((1_700_000_000_000, 4711)), "0123456789abcdef")
    assert len(cursor) <= 60
    assert CursorCodec(SECRET).decode(cursor, "0123456789abcdef").values[1] == 4711


def test_the_cipher_is_not_loaded_before_the_first_cursor() -> None:
    code = (
        "import sys; from hub.search.cursor import CursorCodec; CursorCodec(bytes(32));"
        "assert not any(name.startswith('cryptography') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_cursor_of_another_search_or_secret_is_refused() -> None:
    cursor = CODEC.encode(Position((5,)), "abc")
    with pytest.raises(BadRequest):
        CODEC.decode(cursor, "abd")
    with pytest.raises(BadRequest):
        CursorCodec(b"another secret").decode(cursor, "abc")


def request(parameters: list[tuple[str, str]], **more: Any) -> SearchRequest:
    options: dict[str, Any] = {"zone": ZONE, "base": BASE, "codec": CODEC, **more}
    return parse(registry.core(), "Patient", parameters, **options)


def test_a_search_goes_on_where_its_cursor_says() -> None:
    first = request([("name", "x"), ("_count", "2")])
    cursor = CODEC.encode(Position((7,)), first.fingerprint)
    second = request([("name", "x"), ("_count", "50"), ("_cursor", cursor)])
    assert second.query.after == Position((7,))
    assert ("_cursor", cursor) not in second.self_parameters


@pytest.mark.parametrize(
    ("parameters", "more"),
    [
        ([("name", "y")], {}),
        ([("name", "x"), ("_sort", "name")], {}),
        ([("name", "x")], {"tenant": 2}),
        ([("name", "x")], {"compartment": ("Patient", "1")}),
    ],
)
def test_a_cursor_is_bound_to_search_tenant_and_compartment(
    parameters: list[tuple[str, str]], more: dict[str, object]
) -> None:
    cursor = CODEC.encode(Position((7,)), request([("name", "x")]).fingerprint)
    with pytest.raises(BadRequest):
        request([*parameters, ("_cursor", cursor)], **more)


def test_the_fingerprint_sees_what_is_searched_not_how_it_is_shown() -> None:
    one = fingerprint(("Patient",), "1/", [("name", "x"), ("_count", "1")])
    assert one == fingerprint(("Patient",), "1/", [("_format", "xml"), ("name", "x")])
    assert one != fingerprint(("Person",), "1/", [("name", "x")])
