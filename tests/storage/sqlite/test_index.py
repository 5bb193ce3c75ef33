"""Index tables: replaced in place, read back, damage found, the expunged purged."""

from __future__ import annotations

import pytest

from hub.search.query import Query
from hub.search.values import COMPARTMENT_KEY, LINK_KEY, DateRow, IndexRows, ReferenceRow, TokenRow
from hub.storage.sqlite import index, interner, purge, verify_index
from tests.contract.search_cases import PARAMETERS, criterion, index_rows
from tests.storage.sqlite.both import TENANT, Both


def rich(number: int = 1, **more: object) -> IndexRows:
    """Rows of every kind."""
    values: dict[str, object] = {
        "code": [f"http://loinc.org|{number} systolic pressure", " 头痛"],
        "identifier": "of-type:a|b|c",
        "name": ["张小明", "Smith"],
        "subject": ["Patient/p", "Patient/q/_history/2"],
        "part-of": "http://elsewhere/1|2",
        "birthdate": ["2020-01-01", "2020-01-01..2021-01-01"],
        "probability": [0.5, [0.1, 0.9]],
        "value-quantity": ["5 mg", "1..2 tablets"],
        "url": "urn:x",
        "near": "1|2",
        "code-value-quantity": "|x$5 mg",
        "code-value-code": "|x$|y",
        "date": "2026-01-01",
        "text": "some words",
        "content": "more words " * 40,
        "compartment": ["Patient/p"],
    }
    return index_rows(**{**values, **more})  # type: ignore[arg-type]


def written(both: Both) -> int:
    """Rows written to the database so far."""
    return both.connection.total_changes()


def test_every_kind_of_row_reads_back() -> None:
    both = Both()
    both.put("Observation", "o", rich())
    rid = next(iter(both.record.rows.values())).rid
    held = index.read(both.connection, TENANT, rid)
    assert held is not None
    for name in held.__struct_fields__:
        made = getattr(rich(), name)
        assert getattr(held, name) == (tuple(sorted(made)) if isinstance(made, tuple) else made)
    assert list(verify_index.findings(both.connection, TENANT)) == []


def test_an_unchanged_resource_writes_nothing() -> None:
    both = Both()
    number = both.types.numbers["Observation"]
    both.put("Observation", "o", rich())
    rid = next(iter(both.record.rows.values())).rid
    before = written(both)
    index.replace(both.connection, both.interner, TENANT, rid, number, rich())
    assert written(both) == before


def test_a_small_change_writes_few_rows() -> None:
    both = Both()
    number = both.types.numbers["Observation"]
    both.put("Observation", "o", rich())
    rid = next(iter(both.record.rows.values())).rid
    rows = rich(url="urn:y")
    before = written(both)
    index.replace(both.connection, both.interner, TENANT, rid, number, rows)
    # The new term twice (table and index), its row, the old row, the entry.
    assert written(both) - before <= 6
    assert index.read(both.connection, TENANT, rid) is not None


@pytest.mark.parametrize("table", sorted(index.KEYS))
def test_a_missing_row_is_not_read_back(table: str) -> None:
    both = Both()
    both.put("Observation", "o", rich())
    rid = next(iter(both.record.rows.values())).rid
    whole = index.read(both.connection, TENANT, rid)
    both.connection.execute(f"DELETE FROM {table}")
    assert index.read(both.connection, TENANT, rid) != whole
    assert any(table in finding.where for finding in verify_index.findings(both.connection, TENANT))


@pytest.mark.parametrize(
    ("damage", "where", "what"),
    [
        ("DELETE FROM entry", "Observation/o", "has no index entry"),
        ("DELETE FROM by_date", "Observation/o", "not in the list by date"),
        ("UPDATE resource SET date = 5000", "Observation/o", "under another date"),
        ("INSERT INTO token VALUES (7, 1, 1, 1, 99)", "token", "rows where"),
        ("UPDATE resource SET deleted = 1", "entry", "no current resource"),
    ],
)
def test_damage_to_the_index_is_found(damage: str, where: str, what: str) -> None:
    both = Both()
    both.put("Observation", "o", rich())
    both.connection.execute(damage)
    found = verify_index.findings(both.connection, TENANT)
    assert any(finding.where == where and what in finding.what for finding in found)


def test_who_refers_to_a_resource_is_counted_by_type() -> None:
    both = Both()
    both.put("Patient", "p", IndexRows(references=(ReferenceRow(COMPARTMENT_KEY, "Patient", "p"),)))
    both.put("Observation", "a", index_rows(subject="Patient/p"))
    both.put("Observation", "b", index_rows(subject="Patient/p", compartment=["Patient/p"]))
    both.put("List", "l", IndexRows(references=(ReferenceRow(LINK_KEY, "Patient", "p"),)))
    rid = both.record.rows[TENANT, "Patient", "p"].rid
    assert index.references_to(both.connection, TENANT, rid) == {"Observation": 2, "List": 1}
    both.put("Observation", "a", None)
    both.put("List", "l", IndexRows())
    assert index.references_to(both.connection, TENANT, rid) == {"Observation": 1}


def test_a_date_range_of_all_time_is_kept() -> None:
    both = Both()
    rows = IndexRows(dates=(DateRow(302, -(2**62), 2**62),))
    both.put("Observation", "o", rows)
    rid = next(iter(both.record.rows.values())).rid
    assert index.read(both.connection, TENANT, rid) == rows


def test_too_many_mixtures_of_parameters_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interner, "MOST_GROUPS", 4)
    monkeypatch.setattr(interner, "MOST_SHAPES", 2)
    both = Both()
    keys = [PARAMETERS[code].key for code in ("code", "status", "identifier")]
    for number in range(1, 8):
        chosen = [key for place, key in enumerate(keys) if number >> place & 1]
        rows = IndexRows(tokens=tuple(TokenRow(key, "", "x") for key in chosen))
        both.put("Observation", f"o{number}", rows)
    for where in (["code", "x"], ["present", "status"], ["not", ["present", "identifier"]]):
        query = Query(("Observation",), criterion(where), count=3, total="accurate")
        from_memory, from_sqlite = both.pages(query)
        assert from_sqlite == from_memory
    for row in both.record.rows.values():
        assert index.read(both.connection, TENANT, row.rid) == row.rows


# --- purging --------------------------------------------------------------------------------


def secrets_in(both: Both, *words: str) -> list[str]:
    """Which words are anywhere in the database file."""
    both.connection.execute("VACUUM")
    content = both.connection.serialize("main")
    return [word for word in words if word.encode() in content]


def test_terms_that_nothing_uses_are_purged() -> None:
    both = Both()
    mine = rich(
        code="http://secret|secretcode secrettext",
        url="urn:secreturi",
        content="secretword",
        subject="Patient/secretid",
    )
    both.put("Observation", "mine", mine)
    both.put("Observation", "other", rich(code="http://shared|shared sharedtext"))
    words = ("secretcode", "secrettext", "urn:secreturi", "secretword", "secretid")
    assert secrets_in(both, *words) == list(words)
    both.put("Observation", "mine", None)
    assert purge.purge(both.connection, both.interner) >= 4
    assert secrets_in(both, *words) == []
    assert secrets_in(both, "sharedtext", "systolic") == ["sharedtext"]
    assert list(verify_index.findings(both.connection, TENANT)) == []
    both.searcher.forget()
    query = Query(("Observation",), criterion(["code", "http://shared|shared"]))
    assert both.pages(query)[1] == [([both.record.rows[TENANT, "Observation", "other"].rid], None)]


def test_a_purged_number_is_not_given_out_again() -> None:
    both = Both()
    both.put("Observation", "mine", index_rows(code="|first", subject="Patient/first"))
    before = both.interner.code("", "first")
    both.put("Observation", "mine", None)
    purge.purge(both.connection, both.interner)
    assert both.interner.code("", "second") != before
    assert both.interner.code("", "first") not in (before, both.interner.code("", "second"))


def test_purging_waits_for_an_expunge() -> None:
    both = Both()
    both.put("Observation", "mine", index_rows(code="|first"))
    both.put("Observation", "mine", None)
    assert purge.purge_if_due(both.connection, both.interner) == 0
    purge.due(both.connection)
    purge.due(both.connection)
    assert purge.purge_if_due(both.connection, both.interner) == 1
    assert purge.purge_if_due(both.connection, both.interner) == 0


def test_searches_go_on_as_before_a_purge() -> None:
    both = Both()
    for number in range(6):
        both.put("Observation", f"o{number}", rich(number))
    for number in range(3):
        both.put("Observation", f"o{number}", None)
    purge.purge(both.connection, both.interner)
    both.searcher.forget()
    for number in range(3, 9):
        both.put("Observation", f"o{number}", rich(number, name="new"))
    for where in (
        ["code", "http://loinc.org|4"],
        ["code:text", "systolic"],
        ["words", "content", "more"],
    ):
        from_memory, from_sqlite = both.pages(Query(("Observation",), criterion(where), count=2))
        assert from_sqlite == from_memory
