"""A row of the outbox becomes one message, or a message that a person must look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.hl7v2.outbox import Outbox
from adapters.hl7v2.reasons import read_reasons
from hub.interactions import Accompanying
from hub.interactions.commit import Purpose, store_changes
from hub.storage.port import OutboxRow, StoreUnavailable
from tests.adapters.hl7v2.out.conftest import PATIENT, MakeHub, his, sites
from tests.adapters.hl7v2.out.receiver import Receiver, listening

RARE = "\U00020bb7"
"""A Han character of plane 2, which GBK lacks and GB18030 has."""


async def test_the_receiver_gets_its_charset(make_hub: MakeHub) -> None:
    hub = make_hub(his=his(charset="GB 18030-2000"))
    await hub.put({**PATIENT, "name": [{"family": RARE, "given": ["小明|^"]}]})
    (row,) = await hub.made()
    text = row.departure.raw.decode("gb18030")
    assert text.split("\r")[0].endswith("|GB 18030-2000")
    assert f"|{RARE}^小明\\F\\\\S\\" in text


async def test_a_character_that_a_charset_lacks_refuses_the_message(make_hub: MakeHub) -> None:
    receiver = Receiver(charset="gbk")
    async with listening(receiver) as port:
        hub = make_hub(his=his(port, charset="GBK"))
        await hub.put({**PATIENT, "name": [{"family": RARE}]})
        await hub.put({**PATIENT, "id": "li", "name": [{"family": "李"}]})
        async with hub.sending():
            rows = await hub.until(lambda rows: [row.state for row in rows] == ["refused", "done"])
    assert len(receiver.got) == 1
    (reason,) = read_reasons(rows[0].reason)
    assert (reason.id, reason.place) == ("hl7v2-out-charset", "PID[1]-5")
    assert RARE not in reason.words() + reason.words("zh")


async def test_what_could_not_be_written_is_written_when_it_is_sent_again(
    make_hub: MakeHub,
) -> None:
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(his=his(port, charset="GBK"))
        await hub.put({**PATIENT, "name": [{"family": RARE}]})
        (row,) = await hub.made()
        assert row.state == "refused"
        mended = replace(hub, sites=sites(his=his(port)))
        for one in (hub, mended):
            await hub.door.store.messages.attempted(1, row.row, "queued")
            async with one.sending():
                (after,) = await hub.until(lambda rows: rows[0].state != "queued")
            assert after.state == ("refused" if one is hub else "done")
    assert receiver.ids == [row.departure.control_id]
    assert receiver.got[0].first("PID").component(5) == RARE  # type: ignore[union-attr]


async def test_or_is_escaped_where_the_site_says_so(make_hub: MakeHub) -> None:
    hub = make_hub(his=his(charset="GBK", unencodable="escape"))
    await hub.put({**PATIENT, "name": [{"family": f"{RARE}氏"}]})
    (row,) = await hub.made()
    assert f"|\\X{RARE.encode().hex().upper()}\\氏^" in row.departure.raw.decode("gbk")


async def test_a_crash_before_the_row_is_taken_out_makes_no_second_message(
    make_hub: MakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_hub(his=his())
    await hub.put(PATIENT)
    messages = type(hub.door.store.messages)
    depart = messages.depart

    async def once(self: Any, tenant: int, departures: Any, outbox: Any) -> list[int]:
        monkeypatch.setattr(messages, "depart", depart)
        await depart(self, tenant, departures, [])
        raise StoreUnavailable("cut off", uncertain=True)

    monkeypatch.setattr(messages, "depart", once)
    with pytest.raises(StoreUnavailable):
        await Outbox(hub.door, hub.ctx, hub.sites).turn()
    assert len(await hub.made()) == 1
    assert await hub.door.store.outbox(1, 0, 10) == []


async def test_a_mistake_of_ours_does_not_end_the_outbox(
    make_hub: MakeHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turn = Outbox.turn

    async def stumble(self: Outbox) -> int:
        monkeypatch.setattr(Outbox, "turn", turn)
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Outbox, "turn", stumble)
    receiver = Receiver()
    async with listening(receiver) as port:
        hub = make_hub(his=his(port))
        await hub.put(PATIENT)
        async with hub.sending():
            await hub.until(lambda rows: [row.state for row in rows] == ["done"])
    assert "the outbox is put off" in caplog.text


async def test_a_message_for_a_site_that_is_gone_waits_for_it(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    await hub.put(PATIENT)
    assert await replace(hub, sites=sites()).made() == []
    assert len(await hub.made()) == 1


async def test_rows_of_others_stay(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    other = Accompanying(outbox=(OutboxRow("subscription", b"x"),))
    await store_changes(hub.door, hub.ctx, (), Purpose("E", "test"), (), other)
    await hub.put(PATIENT)
    assert len(await hub.made()) == 1
    assert [row.topic for _, row in await hub.door.store.outbox(1, 0, 10)] == ["subscription"]


async def test_a_result_without_a_patient_is_left_to_a_person(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    await hub.put(
        {
            "resourceType": "Observation",
            "id": "alone",
            "status": "final",
            "code": {"text": "水质"},
        }
    )
    (row,) = await hub.made()
    assert (row.state, row.departure.raw) == ("refused", b"")
    assert read_reasons(row.reason)[0].words() == (
        "PID: The Observation names no patient of this record; a message needs one."
    )
