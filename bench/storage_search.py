"""Searches of the SQLite store by themselves: index rows in, row ids out.

    python -m bench.storage_search --resources 1000000 --folder /tmp/search_bench

Builds a database of synthetic index rows once (patients, encounters, observations, conditions;
bodies are random bytes of a usual size) and reports CPU per insert, bytes per table, and CPU per
search, best and median of several rounds. The data is the same for the same number of
resources.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import apsw

from hub.definitions import search_parameters_of
from hub.definitions.shapes import SearchParameter
from hub.search.folding import fold
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    Criterion,
    DateValue,
    Has,
    Ids,
    InCompartment,
    Match,
    Not,
    Present,
    QuantityValue,
    Query,
    ReferenceValue,
    SortKey,
    StringValue,
    TokenValue,
    Words,
)
from hub.search.values import (
    COMPARTMENT_KEY,
    CompositeRow,
    DateRow,
    IndexRows,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)
from hub.storage.sqlite import connect, index, schema
from hub.storage.sqlite.interner import Interner
from hub.storage.sqlite.search import Searcher

TENANT = 1
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
CODES = 300
GROUP = 64
DAY = 86_400_000_000
START = 1_420_070_400_000_000
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文华红玉建国志海云飞鹏宇浩然子轩梓涵思雨"


class Resource(NamedTuple):
    """One resource of the data set."""

    type: str
    id: str
    rows: IndexRows


def key(type: str, code: str) -> int:
    """Key of a search parameter."""
    return search_parameters_of(type)[code].key


class Keys:
    """Keys of the parameters that the data set uses."""

    def __init__(self) -> None:
        """Look them up."""
        self.by_type = {
            type: {code: parameter.key for code, parameter in search_parameters_of(type).items()}
            for type in ("Patient", "Encounter", "Observation", "Condition")
        }


def resources(count: int) -> Iterator[Resource]:
    """The data set: 1 patient, 8 encounters, 80 observations and 11 conditions at a time."""
    chance = random.Random(7)
    keys = Keys().by_type
    weights = [1 / (rank + 4) for rank in range(CODES)]
    made = 0
    while made < count:
        patient = _id(chance)
        yield _patient(chance, keys["Patient"], patient)
        encounters = []
        first = START + chance.randrange(3000) * DAY
        for _ in range(8):
            encounters.append((_id(chance), first))
            yield _encounter(keys["Encounter"], *encounters[-1], patient)
            first += chance.randrange(20, 200) * DAY
        for code in chance.choices(range(CODES), weights, k=80):
            encounter, day = chance.choice(encounters)
            yield _observation(chance, keys["Observation"], patient, encounter, day, code)
        for _ in range(11):
            encounter, day = chance.choice(encounters)
            yield _condition(chance, keys["Condition"], patient, encounter, day)
        made += 100


def _id(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _patient(chance: random.Random, keys: dict[str, int], id: str) -> Resource:
    family = chance.choice(SURNAMES)
    given = "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
    latin = f"{chance.choice(('Smith', 'Bauer', 'Ferry', 'Lind', 'Koss'))}{chance.randrange(900)}"
    birth = -chance.randrange(-5000, 25000) * DAY
    strings = [
        StringRow(keys[code], value, value)
        for code, value in (
            ("name", family + given),
            ("name", family),
            ("name", given),
            ("family", family),
            ("given", given),
            ("address", "上海市浦东新区张江路五百号"),
            ("address-city", "上海市"),
        )
    ]
    strings += [StringRow(keys[code], fold(latin), latin) for code in ("name", "family")]
    rows = IndexRows(
        strings=tuple(strings),
        tokens=(
            TokenRow(keys["gender"], "http://hl7.org/fhir/administrative-gender", "male"),
            TokenRow(keys["identifier"], "urn:oid:2.16.156.10011.1.3", id[:18]),
            TokenRow(keys["active"], "", "true"),
        ),
        references=(ReferenceRow(COMPARTMENT_KEY, "Patient", id),),
        dates=(DateRow(keys["birthdate"], birth, birth + DAY),),
        content=f"{family} {given}",
    )
    return Resource("Patient", id, rows)


def _subject(keys: dict[str, int], patient: str) -> tuple[ReferenceRow, ...]:
    wanted = (keys["patient"], keys["subject"], COMPARTMENT_KEY)
    return tuple(ReferenceRow(one, "Patient", patient) for one in wanted)


def _encounter(keys: dict[str, int], id: str, day: int, patient: str) -> Resource:
    rows = IndexRows(
        tokens=(
            TokenRow(keys["status"], "", "finished"),
            TokenRow(keys["class"], "http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB"),
            TokenRow(keys["type"], SNOMED, "185349003", "encounter for check up"),
            TokenRow(keys["identifier"], "urn:local", id),
        ),
        references=_subject(keys, patient),
        dates=(DateRow(keys["date"], day, day + 1_800_000_000),),
        date=day,
        content="encounter for check up",
    )
    return Resource("Encounter", id, rows)


def _observation(
    chance: random.Random, keys: dict[str, int], patient: str, encounter: str, day: int, code: int
) -> Resource:
    moment = day + chance.randrange(3600) * 1_000_000
    value = chance.randrange(300, 2000) / 10
    text = f"measurement number {code}"
    coded = TokenRow(0, LOINC, f"{8000 + code}-{code % 10}", text)
    quantity = QuantityRow(
        0, value, value, UCUM, "mm[Hg]", "mmHg", value * 133322, value * 133322, "g.m-1.s-2"
    )
    rows = IndexRows(
        tokens=(
            TokenRow(keys["status"], "", "final"),
            TokenRow(
                keys["category"],
                "http://terminology.hl7.org/CodeSystem/observation-category",
                "vital-signs",
                "vital signs",
            ),
            coded._replace(key=keys["code"]),
            coded._replace(key=keys["combo-code"]),
        ),
        references=(
            *_subject(keys, patient),
            ReferenceRow(keys["encounter"], "Encounter", encounter),
            ReferenceRow(COMPARTMENT_KEY, "Encounter", encounter),
        ),
        dates=(DateRow(keys["date"], moment, moment + 1_000_000),),
        quantities=(
            quantity._replace(key=keys["value-quantity"]),
            quantity._replace(key=keys["combo-value-quantity"]),
        ),
        composites=tuple(
            CompositeRow(keys[one], (coded, quantity._replace(key=1)))
            for one in ("code-value-quantity", "combo-code-value-quantity")
        ),
        uris=(
            UriRow(keys["_profile"], f"http://hl7.org/fhir/StructureDefinition/vital{code % 9}"),
        ),
        date=moment,
        content=f"vital signs {text}",
    )
    return Resource("Observation", _id(chance), rows)


def _condition(
    chance: random.Random, keys: dict[str, int], patient: str, encounter: str, day: int
) -> Resource:
    code = chance.randrange(200)
    rows = IndexRows(
        tokens=(
            TokenRow(
                keys["clinical-status"],
                "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "active",
            ),
            TokenRow(
                keys["category"],
                "http://terminology.hl7.org/CodeSystem/condition-category",
                "encounter-diagnosis",
                "encounter diagnosis",
            ),
            TokenRow(keys["code"], SNOMED, str(10_000 + code), f"finding {code}"),
        ),
        references=(
            *_subject(keys, patient),
            ReferenceRow(keys["encounter"], "Encounter", encounter),
        ),
        dates=(
            DateRow(keys["onset-date"], day, day + 1_000_000),
            DateRow(keys["recorded-date"], day, day + 1_000_000),
        ),
        date=day,
        content=f"encounter diagnosis finding {code}",
    )
    return Resource("Condition", _id(chance), rows)


# --- building -------------------------------------------------------------------------------


def build(folder: Path, count: int) -> None:
    """Make the database, and report what inserting costs."""
    folder.mkdir(parents=True)
    connection = connect.open_writer(folder)
    connection.pragma("synchronous", "off")
    with connection:
        connection.execute(schema.RECORD_DDL + index.DDL)
        schema.add_type_names(connection)
    types = schema.load_type_names(connection).numbers
    interner = Interner(connection, types)
    spent, done, body = 0.0, 0, random.Random(1).randbytes(190)
    live: dict[str, int] = {}
    connection.execute("BEGIN")
    for resource in resources(count):
        type = types[resource.type]
        rid = interner.row_id(TENANT, type, resource.id)
        connection.execute(
            "INSERT INTO resource VALUES (?, ?, ?, ?, 1, ?, ?, 0, 0, ?, 0, 0, 1, ?)",
            (rid, TENANT, type, resource.id, 10**12 + done, done, resource.rows.date, body),
        )
        live[resource.type] = live.get(resource.type, 0) + 1
        start = time.process_time()
        index.insert(connection, interner, TENANT, rid, type, resource.rows)
        interner.keep()
        done += 1
        if done % GROUP == 0:
            connection.execute("COMMIT")
            spent += time.process_time() - start
            if done % (GROUP * 500) == 0:
                connection.pragma("wal_checkpoint")
            connection.execute("BEGIN")
        else:
            spent += time.process_time() - start
    connection.executemany(
        "INSERT INTO statistics VALUES (?, ?, ?, ?)",
        [(TENANT, types[type], number, number) for type, number in live.items()],
    )
    connection.execute("COMMIT")
    connection.pragma("wal_checkpoint(truncate)")
    print(f"{done} resources, {spent / done * 1e6:.1f} us CPU per insert of index rows")
    connection.close()


def sizes(connection: apsw.Connection, count: int) -> None:
    """Report bytes per resource and table."""
    total = 0
    for name, pages in connection.execute(
        "SELECT name, sum(pgsize) FROM dbstat WHERE aggregate = TRUE GROUP BY name ORDER BY 2 DESC"
    ):
        total += pages
        if pages / count >= 1:
            print(f"  {name:24}{pages / count:8.1f} B")
    print(f"  {'all':24}{total / count:8.1f} B per resource")


# --- searching ------------------------------------------------------------------------------


class Names:
    """Values that occur in the data set."""

    def __init__(self, connection: apsw.Connection, types: dict[str, int]) -> None:
        """Pick some."""
        ids = connection.execute(
            "SELECT id FROM resource WHERE type = ? ORDER BY id LIMIT 5000", (types["Patient"],)
        )
        self.patients = [str(id) for (id,) in ids]
        self.encounter = str(
            connection.execute(
                "SELECT id FROM resource WHERE type = ? ORDER BY id LIMIT 1", (types["Encounter"],)
            ).get
        )


def parameter(type: str, code: str) -> SearchParameter:
    """A search parameter of the core package."""
    return search_parameters_of(type)[code]


def is_(type: str, code: str, *values: TokenValue) -> Match:
    """A token criterion."""
    return Match(parameter(type, code), values)


def string(type: str, code: str, text: str) -> Match:
    """A string criterion."""
    return Match(parameter(type, code), (StringValue(text, fold(text)),))


def to(type: str, code: str, target: str, id: str) -> Match:
    """A reference criterion."""
    return Match(parameter(type, code), (ReferenceValue(target, id),))


def on(type: str, code: str, prefix: str, low: int, high: int) -> Match:
    """A date criterion."""
    return Match(parameter(type, code), (DateValue(prefix, low, high),))  # type: ignore[arg-type]


def above(number: int) -> QuantityValue:
    """More than so many mm[Hg]."""
    exact, canonical = Decimal(number), Decimal(number * 133322)
    return QuantityValue(
        "gt", exact, exact, exact, UCUM, "mm[Hg]", canonical, canonical, canonical, "g.m-1.s-2"
    )


def queries(names: Names) -> dict[str, Callable[[int], Query]]:
    """Searches by name; each takes the number of the round, which varies the values."""
    observation = ("Observation",)
    newest = (SortKey(parameter("Observation", "date"), True),)
    common, rare = TokenValue(LOINC, "8000-0"), TokenValue(LOINC, "8299-9")
    day = START + 1500 * DAY

    def simple(type: str, *criteria: Criterion, **more: object) -> Callable[[int], Query]:
        return lambda round: Query((type,), And(criteria), **more)  # type: ignore[arg-type]

    def of_patient(*criteria: Criterion, **more: object) -> Callable[[int], Query]:
        def make(round: int) -> Query:
            patient = names.patients[round % len(names.patients)]
            all = (to("Observation", "patient", "Patient", patient), *criteria)
            return Query(observation, And(all), **more)  # type: ignore[arg-type]

        return make

    code = is_("Observation", "code", common)
    return {
        "patient+code, by date": of_patient(code, sort=newest),
        "patient, by date": of_patient(sort=newest),
        "patient, 1000": of_patient(count=1000),
        "patient+date": of_patient(on("Observation", "date", "ge", day, day + DAY), sort=newest),
        "patient+code, accurate total": of_patient(code, total="accurate"),
        "newest 20 of a common code": simple("Observation", code, sort=newest),
        "oldest 20 of a common code": simple(
            "Observation", code, sort=(SortKey(parameter("Observation", "date")),)
        ),
        "20 of a rare code": simple("Observation", is_("Observation", "code", rare)),
        "code in any system": simple(
            "Observation", is_("Observation", "code", TokenValue(None, "8000-0"))
        ),
        "common code, total estimate": simple("Observation", code, total="estimate"),
        "common code, total accurate": simple("Observation", code, total="accurate"),
        "category+status": simple(
            "Observation",
            is_("Observation", "category", TokenValue(None, "vital-signs")),
            is_("Observation", "status", TokenValue(None, "final")),
        ),
        "three codes": simple(
            "Observation",
            is_("Observation", "code", *(TokenValue(LOINC, f"{8000 + n}-{n}") for n in range(3))),
        ),
        "common code + value": simple(
            "Observation", code, Match(parameter("Observation", "value-quantity"), (above(190),))
        ),
        "code-value-quantity": simple(
            "Observation",
            Match(
                parameter("Observation", "code-value-quantity"),
                (CompositeValue((common, above(190))),),
            ),
        ),
        "value alone, rare": simple(
            "Observation", Match(parameter("Observation", "value-quantity"), (above(199),))
        ),
        "value alone, common": simple(
            "Observation", Match(parameter("Observation", "value-quantity"), (above(50),))
        ),
        "one day": simple(
            "Observation", on("Observation", "date", "eq", day, day + DAY), sort=newest
        ),
        "since long ago": simple(
            "Observation", on("Observation", "date", "ge", START, START + DAY), sort=newest
        ),
        "common code + one day": simple(
            "Observation", code, on("Observation", "date", "eq", day, day + DAY), sort=newest
        ),
        "not final": simple(
            "Observation", Not(is_("Observation", "status", TokenValue(None, "final"))), code
        ),
        "without value, common code": simple(
            "Observation", Not(Present(parameter("Observation", "value-quantity"))), code
        ),
        "all": simple("Observation"),
        "name prefix + birthdate": simple(
            "Patient",
            string("Patient", "name", "smith1"),
            on("Patient", "birthdate", "lt", 0, DAY),
        ),
        "name, two Han": simple("Patient", string("Patient", "name", "小明"[:1] + "明")),
        "name, one Han": simple("Patient", string("Patient", "name", "明")),
        "name, by family": simple(
            "Patient",
            string("Patient", "name", "smith1"),
            sort=(SortKey(parameter("Patient", "family")),),
        ),
        "all patients, by family": simple(
            "Patient", sort=(SortKey(parameter("Patient", "family")),)
        ),
        "all patients, by birthdate": simple(
            "Patient", sort=(SortKey(parameter("Patient", "birthdate"), True),)
        ),
        "identifier": simple(
            "Patient",
            is_(
                "Patient",
                "identifier",
                TokenValue("urn:oid:2.16.156.10011.1.3", names.patients[5][:18]),
            ),
        ),
        "_id": simple("Patient", Ids((names.patients[3],))),
        "revinclude": of_patient(count=1000),
        "encounter?patient.name": lambda round: Query(
            ("Encounter",),
            Chain(
                parameter("Encounter", "patient"),
                "Patient",
                string("Patient", "name", f"bauer{100 + round % 90}"),
            ),
        ),
        "encounter?patient.gender": simple(
            "Encounter",
            Chain(
                parameter("Encounter", "patient"),
                "Patient",
                is_("Patient", "gender", TokenValue(None, "male")),
            ),
        ),
        "patient?_has observation, rare": simple(
            "Patient",
            Has(
                "Observation", parameter("Observation", "patient"), is_("Observation", "code", rare)
            ),
        ),
        "patient?_has observation, common": simple(
            "Patient", Has("Observation", parameter("Observation", "patient"), code)
        ),
        "patient compartment": lambda round: Query(
            (), InCompartment("Patient", names.patients[round % len(names.patients)])
        ),
        "_content, two words": simple("Condition", Words("content", ("finding", "77"))),
        "_content, common word": simple("Observation", Words("content", ("vital",))),
        "system, _profile": lambda round: Query(
            (), is_("Observation", "status", TokenValue(None, "final"))
        ),
    }


def measure(searcher: Searcher, make: Callable[[int], Query], seconds: float) -> str:
    """CPU microseconds of one search: best round's mean and the median."""
    found = searcher.search(TENANT, make(0), 60)
    start = time.process_time()
    searcher.search(TENANT, make(1), 60)
    once = max(time.process_time() - start, 1e-5)
    batch = max(1, min(100, int(seconds / 8 / once)))
    rounds = []
    for round in range(8):
        start = time.process_time()
        for number in range(batch):
            searcher.search(TENANT, make(round * batch + number), 60)
        rounds.append((time.process_time() - start) / batch * 1e6)
        if sum(rounds) * batch > seconds * 1e6:
            break
    shown = f"{min(rounds):10.0f}{statistics.median(rounds):10.0f}"
    total = "" if found.total is None else f"   total {found.total}{'~' * found.estimated}"
    return f"{shown}   {len(found.rids)} rows{'+' if found.next else ''}{total}"


def main() -> None:
    """Build when needed, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--only", default="", help="names that contain this")
    parser.add_argument("--seconds", type=float, default=0.5, help="per search")
    parser.add_argument("--sizes", action="store_true", help="bytes per table")
    parser.add_argument("--explain", action="store_true")
    chosen = parser.parse_args()
    folder = chosen.folder / str(chosen.resources)
    if not folder.exists():
        build(folder, chosen.resources)
    connection = connect.open_reader(folder)
    if chosen.sizes:
        sizes(connection, chosen.resources)
    types = schema.load_type_names(connection)
    searcher = Searcher(connection, types)
    print(f"{'CPU microseconds':40}{'best':>10}{'median':>10}")
    for name, make in queries(Names(connection, types.numbers)).items():
        if chosen.only in name:
            print(f"{name:40}{measure(searcher, make, chosen.seconds)}", flush=True)
            if chosen.explain:
                print(*searcher.explain(TENANT, make(0)), sep="\n    ")


if __name__ == "__main__":
    main()
