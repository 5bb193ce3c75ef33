"""Frames come out as they went in, however the stream is cut."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.storage.sqlite import frames
from hub.storage.sqlite.frames import ANSWER, LARGEST_FRAME, OPERATIONS, REQUEST, Splitter

BODIES = st.lists(st.binary(max_size=300), max_size=12)
CUTS = st.lists(st.integers(1, 200), min_size=1, max_size=30)


@given(BODIES, CUTS)
def test_frames_are_cut_where_they_were_joined(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(
        ANSWER.pack(len(body), number, 1) + body for number, body in enumerate(bodies)
    )
    splitter, found, place = Splitter(ANSWER), [], 0
    while place < len(stream):
        for cut in cuts:
            found += splitter.feed(stream[place : place + cut])
            place += cut
    assert [(number, bytes(body)) for (number, _), body in found] == list(enumerate(bodies))


def test_a_large_frame_is_kept_until_it_is_whole() -> None:
    body = bytes(3_000_000)
    stream = REQUEST.pack(len(body), 1, 0, 0, 9) + body + REQUEST.pack(0, 2, 0, 1, 9)
    splitter, found = Splitter(REQUEST), []
    for place in range(0, len(stream), 65_536):
        found += splitter.feed(stream[place : place + 65_536])
    assert [(header, len(data)) for header, data in found] == [
        ((1, 0, 0, 9), len(body)),
        ((2, 0, 1, 9), 0),
    ]


def test_a_frame_that_is_too_large_is_refused_by_its_header() -> None:
    Splitter(REQUEST).feed(REQUEST.pack(LARGEST_FRAME, 1, 0, 0, 0))
    with pytest.raises(ValueError, match="too large"):
        Splitter(REQUEST).feed(REQUEST.pack(LARGEST_FRAME + 1, 1, 0, 0, 0))


def test_a_commit_is_the_first_operation() -> None:
    assert OPERATIONS[frames.COMMIT] == "commit"


class Recorder(asyncio.Transport):
    """A transport that only notes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False


async def test_frames_of_one_round_are_sent_together() -> None:
    transport = Recorder()
    outgoing = frames.Outgoing(transport)
    for number in range(3):
        outgoing.add(b"%d" % number)
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"012"]
    outgoing.add(b"3")
    await asyncio.sleep(0)
    assert transport.written == [b"012", b"3"]
