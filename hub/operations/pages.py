"""All pages of a search, one after the other, through the door like any client's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer

Parameters = tuple[tuple[str, str], ...]


def next_parameters(answer: BundleAnswer) -> Parameters | None:
    """The parameters of the next link, None on the last page."""
    for relation, url in answer.links:
        if relation == "next":
            return tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return None


async def pages(
    door: Interactions,
    context: Context,
    type: str,
    parameters: Parameters,
    *,
    strict: bool = False,
) -> AsyncIterator[BundleAnswer]:
    """The pages of a search.

    Args:
        door: The record.
        context: Who asks.
        type: Resource type.
        parameters: Of the first page.
        strict: Refuse unknown parameters.
    """
    wanted: Parameters | None = parameters
    while wanted is not None:
        answer = await door.search(context, type, wanted, strict=strict)
        yield answer
        wanted = next_parameters(answer)
