"""What it costs to read and map a message: `python -m bench.hl7v2_map`.

No store, no connection: text to segments to resources, in this process. CPU milliseconds per
message, the median of the runs, for the admission of nine segments that the target is about and
for the messages of `bench.hospital`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer

from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert
from bench.hospital.messages import admissions, results

TARGET = 1.5
"""Milliseconds for an ADT."""

ADMISSION = (
    "MSH|^~\\&|HIS|CENTRAL|HUB|CENTRE|20260301083000||ADT^A01^ADT_A01|MSG00001|P|2.5.1",
    "EVN|A01|20260301082955|||D001^王^一",
    "PID|1||00120034^^^HIS^MR~340101198001011234^^^&2.16.156.10011.1.3&ISO^NI||张^三^^^^^L"
    "||19800101|M|||天河路1号^^广州市^广东省^510000^CHN^H||13800138000^PRN^CP"
    "|02088886666^WPN^PH|zh^Chinese^ISO6391|M^Married^HL70002",
    "PD1|||社区卫生服务中心^^A001|D002^李^四^^^^^^HIS",
    "NK1|1|张^大^^^^^L|FTH^父亲^HL70063|天河路1号^^广州市^广东省^510000^CHN^H|13900139000^PRN^CP",
    "PV1|1|I|W3^301^02^CENTRAL^^^B1^3|E|||D001^王^一^^^^^^HIS|D003^赵^六^^^^^^HIS||CAR|||||||"
    "D001^王^一^^^^^^HIS||V20260301001^^^HIS^VN" + "|" * 25 + "20260301080000",
    "PV2|||I20.0^不稳定性心绞痛^I10|||||20260301|20260310" + "|" * 16 + "2",
    "AL1|1|DA|PEN^青霉素^99HIS|SV|皮疹",
    "DG1|1||I20.0^不稳定性心绞痛^I10||20260301|A|||||||||1|D001^王^一^^^^^^HIS",
)


def _cost(texts: Sequence[str], runs: int, site: Site) -> tuple[float, float]:
    """Median CPU milliseconds per message, and resources per message."""
    made = sum(len(convert(parse(text), site, 0).resources) for text in texts)
    found = []
    for _ in range(runs):
        before = time.process_time()
        for text in texts:
            convert(parse(text), site, 0)
        found.append((time.process_time() - before) * 1000 / len(texts))
    return statistics.median(found), made / len(texts)


def main(
    runs: Annotated[int, typer.Option(min=1, help="Times that each is measured.")] = 9,
    count: Annotated[int, typer.Option(min=10, help="Messages a run.")] = 200,
) -> None:
    """Measure and print."""
    site = Site()
    sender = {"ADT of the hospital": admissions(1), "ORU, 20 OBX": results(1)}
    kinds = {"ADT^A01, 9 segments": ["\r".join(ADMISSION)] * count}
    kinds |= {
        name: [raw.decode() for raw in islice(messages, count)] for name, messages in sender.items()
    }
    for name, texts in kinds.items():
        cost, resources = _cost(texts, runs, site)
        missed = " (missed)" if name.startswith("ADT") and cost > TARGET else ""
        typer.echo(f"{name:22} {cost:6.3f} ms CPU{missed}, {resources:.1f} resources")


if __name__ == "__main__":
    typer.run(main)
