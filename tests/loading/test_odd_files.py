"""Files as other programs leave them behind."""

from __future__ import annotations

import json

from tests.loading.conftest import Desk, bundle, entry, patient

BOM = b"\xef\xbb\xbf"


async def test_a_byte_order_mark_is_no_hindrance(desk: Desk) -> None:
    inside = desk.write("a.json", patient("p1")).parent
    (inside / "b.json").write_bytes(BOM + json.dumps(patient("p2")).encode())
    (inside / "c.ndjson").write_bytes(BOM + json.dumps(patient("p3")).encode() + b"\r\n")
    collection = bundle("collection", entry(patient("p4")))
    (inside / "d.json").write_bytes(BOM + json.dumps(collection).encode())
    transaction = bundle("transaction", entry(patient("p5"), "PUT", "Patient/p5"))
    (inside / "e.json").write_bytes(BOM + json.dumps(transaction).encode())
    done = await desk.load()
    assert (done.created, done.rejected) == (5, 0), desk.report
