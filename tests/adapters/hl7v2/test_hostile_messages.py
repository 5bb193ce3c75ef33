"""The corpus of own messages, damaged at random: every one is answered and kept, none breaks us."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from adapters.hl7v2.envelope import open_beside
from adapters.hl7v2.inbox import Inbox
from adapters.hl7v2.mapping.library import message_names
from adapters.hl7v2.mllp.framing import END, START
from adapters.hl7v2.pipeline import Pipeline
from adapters.hl7v2.sites import DEFAULT, Site, Sites
from adapters.hl7v2.work import Worker
from hub.context import Tenant
from hub.storage.memory.store import MemoryStore
from tests.adapters.hl7v2.mllp.talking import HOST, Echo, listening
from tests.adapters.hl7v2.own_messages import case, names
from tests.interactions.conftest import door_over

WHOLE = [case(name).raw for name in names()]
JUNK = [
    *(b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b'""', b"\\X0D\\", b"\\X00\\", b"\\.br\\", b" "),
    *(b"99999999999999999999", b"-1", b"1e9999", b"20261399", b"20260101250000+9900", b"Z", b"0"),
    *(b"\x00", b"\x0b", b"\x1c", b"\xff", b"\x81\x7c", "张".encode(), "张".encode("gbk")),
    *(b"A" * 3000, b"<script>", b"^" * 30, b"&" * 9, b"PID|1", b"OBX|1|NM|", b"EVN|A40"),
    b"OBX|1|ED|a||^^^Base64^%%%",
]


def damaged(chance: random.Random) -> bytes:
    """A message of the corpus with a few things wrong."""
    raw = chance.choice(WHOLE)
    for _ in range(chance.randint(1, 6)):
        segments = raw.split(b"\r")
        number = chance.randrange(len(segments))
        match chance.randrange(6):
            case 0:
                place = chance.randrange(len(raw) + 1)
                raw = raw[:place] + chance.choice(JUNK) + raw[place:]
                continue
            case 1:
                place = chance.randrange(len(raw) + 1)
                raw = raw[:place] + raw[place + chance.randint(1, 30) :]
                continue
            case 2:
                segments.insert(chance.randrange(len(segments) + 1), segments[number])
            case 3:
                segments.pop(number)
            case 4:
                fields = segments[number].split(b"|")
                fields[chance.randrange(len(fields))] = chance.choice(JUNK)
                segments[number] = b"|".join(fields)
            case _:
                other = chance.choice(WHOLE).split(b"\r")
                segments.insert(number + 1, chance.choice(other))
        raw = b"\r".join(segments)
    return raw


@pytest.mark.parametrize("seed", range(4))
async def test_damaged_messages_are_answered_and_none_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    store = MemoryStore()
    log, sites, kinds = store.messages, Sites({DEFAULT: Site()}), message_names().keys()
    worker = Worker(door_over(store), Tenant(), "http://127.0.0.1/fhir")
    pipeline = Pipeline(log, 1, worker, partial(open_beside, sites=sites, kinds=kinds))
    inbox = Inbox(log, 1, sites, kinds, pipeline, 1_000_000)
    for _ in range(150):
        raw = damaged(chance)
        taken = await inbox.take(raw, HOST)
        answer = taken.now + (b"" if taken.later is None else await taken.later)
        silent = b"|NE|" in raw or b"|SU|" in raw or b"|ER|" in raw
        assert b"MSA" in answer or silent, raw
    assert pipeline.outcomes.failures == 0
    counts = {one.state: one.messages for one in await log.counts(1)}
    assert counts["received"] == 150
    assert counts["received"] == sum(
        counts.get(state, 0) for state in ("stored", "quarantined", "repeat", "waiting")
    )


@pytest.mark.parametrize("seed", range(10))
async def test_any_stream_leaves_the_listener_well(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [START, END, b"\x1c", b"\r", b"MSH|", b"x" * 3000, b"\x00", *WHOLE[:5]]
    async with listening(Echo(), message=2000, budget=50_000, seconds=5) as place:
        for _ in range(20):
            _, writer = await asyncio.open_connection(HOST, place.port)
            for _ in range(chance.randint(1, 20)):
                writer.write(chance.choice(pieces))
                if chance.random() < 0.2:
                    await asyncio.sleep(0)
            if chance.random() < 0.5:
                writer.transport.abort()
            else:
                writer.close()
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection(HOST, place.port)
        writer.write(START + b"still here" + END)
        assert await asyncio.wait_for(reader.readuntil(END), 5) == START + b"got still here" + END
        writer.close()
        await asyncio.sleep(0.1)
        assert place.server.held == 0
