"""What crosses the socket comes out as it went in."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from hub.definitions.shapes import SearchParameter, SearchParameterComponent
from hub.errors import TooCostly, fault
from hub.search import query as queries
from hub.search import values
from hub.search.query import (
    And,
    Chain,
    CompositeValue,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    NearValue,
    Not,
    NumberValue,
    OfType,
    Or,
    Position,
    Present,
    QuantityValue,
    Query,
    ReferenceValue,
    SortKey,
    StringValue,
    TokenValue,
    UriValue,
    Words,
)
from hub.search.values import (
    CompositeRow,
    DateRow,
    IndexRows,
    NumberRow,
    PositionRow,
    QuantityRow,
    ReferenceRow,
    StringRow,
    TokenRow,
    UriRow,
)
from hub.storage import port
from hub.storage.port import AuditRecord, Commit, Exists, Matches, OutboxRow, Unreferenced, Write
from hub.storage.sqlite import wire

PARAMETER = SearchParameter(
    7, "urn:p", "code", "token", ("Patient",), "Patient.x", ("Group",),
    (SearchParameterComponent("urn:c", "x"),), "words",
)  # fmt: skip
VALUES = (
    StringValue("Ä", "a"),
    TokenValue(None, "code"),
    ReferenceValue("Patient", "a", "", "2"),
    DateValue("ge", 1, 2),
    NumberValue("eq", Decimal("1.00"), Decimal("0.995"), Decimal("1.005")),
    QuantityValue("lt", Decimal("5"), Decimal("4.5"), Decimal("5.5"), None, "mg"),
    UriValue("urn:x"),
    NearValue(31.2, 121.5, 1000.0),
    CompositeValue((TokenValue("s", None), UriValue("urn:y"))),
)
CRITERION = And(
    (
        Match(PARAMETER, VALUES, "exact"),
        Or((Present(PARAMETER), Ids(("a", "b")), Not(OfType(("Patient",))))),
        LastUpdated((DateValue("eq", 1, 2),)),
        Chain(PARAMETER, "Patient", Has("Observation", PARAMETER, And(()))),
        InCompartment("Patient", "a"),
        Words("text", ("one", "two")),
        ListMembers("list"),
    )
)
ROWS = IndexRows(
    (StringRow(1, "a", "A"),),
    (TokenRow(2, "s", "c", "t", "identifier"),),
    (ReferenceRow(3, "Patient", "a", "", "4"),),
    (DateRow(4, -5, 2**60),),
    (NumberRow(5, 1.5, 2.5),),
    (QuantityRow(6, 1.0, 2.0, "s", "c", "u", 0.1, 0.2, "g"),),
    (UriRow(7, "urn:x"),),
    (PositionRow(8, 1.0, 2.0),),
    (CompositeRow(9, (TokenRow(0, "s", "c"), DateRow(1, 2, 3), StringRow(2, "a", "A"))),),
    12,
    "text",
    "content",
)


def test_a_commit_with_everything_in_it() -> None:
    sort, after = (SortKey(PARAMETER, True),), Position((None, 1, 2.5, "x"))
    query = Query(("Patient",), CRITERION, sort, 5, after, "none")
    conditions = (Matches(query, frozenset("xy")), Exists("A", "b", "here"), Unreferenced("A", "b"))
    commit = Commit(
        3,
        (
            Write("PUT", "Patient", "a", b"}}", ROWS, 4, ("ab",)),
            Write("DELETE", "Patient", "b"),
        ),
        AuditRecord("E", "transaction", "me", "r", "4", ("Task/t",)),
        17,
        conditions,
        (OutboxRow("topic", b"\x00\xff"),),
        "key",
    )  # fmt: skip
    assert wire.decode_commit(wire.encode_commit(commit)) == commit


def test_the_sample_holds_every_kind() -> None:
    kinds = {type(value) for value in VALUES}
    assert kinds == set(get_args(queries.Value))
    named = repr(CRITERION)
    assert all(f"{kind.__name__}(" in named for kind in get_args(queries.Criterion))
    assert all(getattr(ROWS, field) for field in ROWS.__struct_fields__)
    assert {kind.__name__ for kind in get_args(port.Precondition)} <= set(wire.CLASSES)
    assert {kind.__name__ for kind in get_args(values.Component)} <= set(wire.CLASSES)


def test_reindexed_rows() -> None:
    rows = [port.Reindexed("Patient", "a", 2, ROWS)]
    assert wire.decode_reindexed(wire.encode_reindexed(rows)) == rows


REFUSALS = [
    port.VersionConflict(1, "Patient", "a", 2),
    port.PreconditionChanged(1, ("a", "b")),
    port.TargetMissing("Patient", "a", "here"),
    port.StillReferenced("Patient", "a", "Group", 3),
    port.GenerationMoved(5),
    port.BlobMissing("ab"),
    port.AlreadySettled(),
    port.StoreUnavailable("why", True),
    port.DeadlineExceeded(),
]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_refusals(error: Exception) -> None:
    made = wire.decode_failure(wire.encode_failure(error))
    assert type(made) is type(error)
    assert vars(made) == vars(error)


def test_a_refused_search_crosses_with_its_issues() -> None:
    error = TooCostly(fault("too-costly", "search-too-costly", "here", most=7, why=Decimal("1")))
    made = wire.decode_failure(wire.encode_failure(error))
    assert isinstance(made, TooCostly)
    assert made.status == error.status
    assert made.issues == (fault("too-costly", "search-too-costly", "here", most=7, why="1"),)


def test_every_refusal_of_the_port_crosses() -> None:
    refusals = {kind.__name__ for kind in port.CommitRefused.__subclasses__()}
    assert refusals <= set(wire.REFUSALS)
    assert refusals <= {type(error).__name__ for error in REFUSALS}


def test_a_mistake_crosses_by_name_only() -> None:
    made = wire.decode_failure(wire.encode_failure(KeyError("a patient's name")))
    assert isinstance(made, port.StoreUnavailable)
    assert made.reason == "KeyError"


def test_only_known_classes_come_out() -> None:
    data = msgspec.msgpack.encode({"c": "Popen", "f": [["true"]]})
    with pytest.raises(KeyError):
        wire.decode(data)
    with pytest.raises(TypeError):
        wire.encode(object())
