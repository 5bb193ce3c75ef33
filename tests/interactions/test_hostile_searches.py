"""Searches made to hurt are answered, or refused in words, at once."""

from __future__ import annotations

import time

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from tests.interactions.conftest import observation, patient

MANY = 10_000

REFUSED = [
    ("Patient", "_filter", "(" * 1000 + "name eq a" + ")" * 1000, "search-filter-too-deep"),
    ("Patient", "_filter", "not (" * 1000 + "name eq a" + ")" * 1000, "search-filter-too-deep"),
    ("Patient", "_filter", " and ".join(["name eq a"] * MANY), "search-filter-too-long"),
    ("Patient", "name", ",".join(map(str, range(MANY))), "search-too-many-values"),
    (
        "Observation",
        "date",
        ",".join(f"lt{n}" for n in range(1000, 3000)),
        "search-too-many-values",
    ),
    ("Observation", "_sort", ",".join(["date", "-code"] * 25), "search-too-many-values"),
    ("Observation", "_count", "-1", "search-value-invalid"),
    ("Observation", "_count", "1e3", "search-value-invalid"),
    ("Observation", "value-quantity", "9" * MANY, "search-value-invalid"),
    ("Observation", "code", "," * MANY, "search-value-empty"),
    ("Observation", "_include", ":" * MANY, "search-include"),
    ("Observation", "_elements", ",".join(["code"] * MANY), "search-value-invalid"),
    ("Patient", "_cursor", "A" * 40, "search-cursor-invalid"),
    ("Patient", "_cursor", "张" * MANY, "search-cursor-invalid"),
    ("Patient", "_has:" * 1000 + "name", "x", "search-type-unknown"),
    ("Observation", "_has:Observation:has-member:" * 1000 + "code", "x", "search-chain-too-deep"),
]

ANSWERED = [
    ("Observation", (("_include:iterate", "*"), ("_revinclude:iterate", "*"))),
    ("Observation", (("_count", "999999999"),)),
    ("Observation", (("_count", "0"),)),
    ("Observation", (("date", ",".join(["lt2030"] * MANY)),)),
    ("Observation", (("code", "|" * MANY),)),
    ("Patient", (("name", "张" * MANY),)),
    ("Patient", (("_text", '"*" OR NEAR(a b) ^'),)),
    ("Patient", (("_content", " ".join(f"ab{n}" for n in range(1000))),)),
    ("", (("_type", ",".join(["Patient", "Observation"] * 1000)),)),
]


def messages(error: HubError) -> list[str]:
    return [issue.message for issue in error.issues]


@pytest.mark.parametrize(
    ("type", "name", "text", "message"), REFUSED, ids=[f"{row[1][:20]}-{row[3]}" for row in REFUSED]
)
async def test_it_is_refused_in_words(
    door: Interactions, ctx: Context, type: str, name: str, text: str, message: str
) -> None:
    start = time.process_time()
    with pytest.raises(HubError) as caught:
        await door.search(ctx, type, ((name, text),))
    assert messages(caught.value) == [message]
    assert caught.value.status in (400, 403)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("count", [100, 500, 501])
async def test_many_chains_are_refused(door: Interactions, ctx: Context, count: int) -> None:
    with pytest.raises(HubError) as caught:
        await door.search(ctx, "Observation", (("subject:Patient.name", "a"),) * count)
    (message,) = messages(caught.value)
    assert message in ("search-chain-too-wide", "search-too-many-parameters")


@pytest.mark.parametrize(("type", "parameters"), ANSWERED)
async def test_it_is_answered(
    door: Interactions, ctx: Context, type: str, parameters: tuple[tuple[str, str], ...]
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.update(ctx, "Observation", "o", observation("Patient/a", id="o"))
    start = time.process_time()
    await door.search(ctx, type, parameters)
    assert time.process_time() - start < 2


async def test_a_cursor_of_another_search_is_refused(door: Interactions, ctx: Context) -> None:
    for id in "abc":
        await door.update(ctx, "Patient", id, patient(id=id))
    page = await door.search(ctx, "Patient", (("_count", "1"),))
    cursor = ("_cursor", dict(page.links)["next"].partition("_cursor=")[2])
    assert (await door.search(ctx, "Patient", (("_count", "2"), cursor))).entries
    for type, more in (
        ("Patient", ("name", "张")),
        ("Patient", ("_sort", "name")),
        ("Group", ("_count", "1")),
    ):
        with pytest.raises(HubError) as caught:
            await door.search(ctx, type, (more, cursor))
        assert messages(caught.value) == ["search-cursor-invalid"]
    for place in range(0, len(cursor[1]), 7):
        changed = cursor[1][:place] + ("A" if cursor[1][place] != "A" else "B")
        with pytest.raises(HubError):
            await door.search(
                ctx, "Patient", (("_count", "1"), ("_cursor", changed + cursor[1][place + 1 :]))
            )
