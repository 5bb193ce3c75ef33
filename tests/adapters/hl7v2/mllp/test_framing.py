"""Frames out of a stream, however it is cut into pieces."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.mllp.framing import Frame, FrameReader, framed

CONTENT = st.binary(max_size=60).filter(lambda one: b"\x1c\r" not in one)
NOISE = st.binary(max_size=10).map(lambda one: one.replace(b"\x0b", b"."))


def read(stream: bytes, size: int = 1, limit: int = 1000) -> list[Frame]:
    reader = FrameReader(limit)
    found: list[Frame] = []
    for start in range(0, len(stream), size):
        found += reader.feed(stream[start : start + size])
    return found


def test_a_message_is_between_its_marks() -> None:
    assert framed(b"MSH") == b"\x0bMSH\x1c\r"
    assert read(framed(b"MSH"), 100) == [Frame(b"MSH", 3)]


def test_several_messages_in_one_piece_are_several() -> None:
    assert [one.content for one in read(framed(b"a") + framed(b"b"), 100)] == [b"a", b"b"]


def test_empty_frames_are_none_and_cost_no_more_than_other_bytes() -> None:
    stream = framed(b"") + b"noise" + framed(b"") * 500_000 + framed(b"a") + framed(b"")
    before = time.process_time()
    assert [one.content for one in read(stream, 65_536)] == [b"a"]
    assert time.process_time() - before < 1
    reader = FrameReader(100)
    reader.feed(stream)
    assert reader.stray == 5


@given(st.lists(CONTENT, max_size=20), st.integers(1, 5))
def test_what_is_not_wanted_yet_waits(contents: list[bytes], most: int) -> None:
    stream = b"".join(framed(content) for content in contents)
    wanted = read(stream, max(1, len(stream)))
    reader = FrameReader(1000)
    found = reader.feed(stream, most)
    while reader.more:
        more = reader.feed(b"", most)
        assert len(more) <= most
        found += more
    assert found == wanted


def test_an_end_without_its_carriage_return_is_content() -> None:
    assert [one.content for one in read(b"\x0ba\x1cb\x1c\r", 2)] == [b"a\x1cb"]


def test_a_sender_that_begins_again_is_heard_from_its_last_beginning() -> None:
    reader = FrameReader(100)
    assert reader.feed(b"\x0bMSH|half\x0bMSH|whole\x1c\r") == [Frame(b"MSH|whole", 18)]
    assert reader.broken == 1


def test_what_is_between_frames_is_thrown_away_and_counted() -> None:
    reader = FrameReader(100)
    frames = reader.feed(b"noise" + framed(b"a") + b"\r\n" + framed(b"b") + b"x")
    assert [one.content for one in frames] == [b"a", b"b"]
    assert reader.stray == 8
    assert reader.held == 0


def test_a_frame_over_the_limit_is_told_and_the_next_one_is_read() -> None:
    for size in (1, 7, 100_000):
        frames = read(framed(b"MSH|" + b"x" * 50_000) + framed(b"next"), size, limit=1000)
        assert [(one.oversize, one.size) for one in frames] == [(True, 50_004), (False, 4)]
        assert frames[0].content.startswith(b"MSH|xxx")


def test_a_frame_without_end_is_not_kept() -> None:
    reader = FrameReader(1000)
    for _ in range(1000):
        assert reader.feed(b"\x0b" + b"x" * 999 if not reader.inside else b"x" * 1000) == []
    assert reader.held <= 2001
    assert reader.received == 999_999
    assert reader.feed(b"\x1c") == []
    assert [one.oversize for one in reader.feed(b"\r" + framed(b"a"))] == [True, False]


@given(st.lists(st.tuples(NOISE, CONTENT), max_size=6), st.integers(1, 40))
def test_the_pieces_do_not_matter(parts: list[tuple[bytes, bytes]], size: int) -> None:
    stream = b"".join(noise + framed(content) for noise, content in parts)
    whole = read(stream, max(1, len(stream)))
    assert read(stream, size) == whole
    kept = [one for _, one in parts if b"\x0bMSH" not in one and not one.endswith(b"\x1c")]
    if len(kept) == len(parts):
        assert [one.content for one in whole] == [one for one in kept if one]


@given(st.binary(max_size=500), st.integers(1, 50), st.integers(1, 100))
def test_no_stream_breaks_it_or_fills_the_memory(stream: bytes, size: int, limit: int) -> None:
    reader = FrameReader(limit)
    for start in range(0, len(stream), size):
        for frame in reader.feed(stream[start : start + size]):
            assert frame.oversize == (frame.size > limit)
        assert reader.held <= limit + size + 1
