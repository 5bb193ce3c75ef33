"""Words of a resource for `_text` and `_content` (https://hl7.org/fhir/R4/search.html#content).

`_content` covers what people write and read: strings, markdown and narrative; codes, uris and
ids have parameters of their own. Called by `hub.search.extract`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from hub.search.folding import words_of_all

_TAG = re.compile(r"<[^<>]*>")
_MOST_CHARACTERS = 200_000
"""More text than this is not indexed, which bounds the work for one resource."""


def markup_text(markup: str) -> str:
    """The text of a narrative's XHTML.

    Args:
        markup: A `div`.
    """
    bare = _TAG.sub(" ", markup[:_MOST_CHARACTERS])
    return html.unescape(bare) if "&" in bare else bare


def joined_words(texts: Iterable[str]) -> str:
    """Words of texts, folded, without duplicates, separated by spaces.

    Args:
        texts: In any order.
    """
    given = tuple(texts)
    if sum(map(len, given)) + 2 * len(given) > _MOST_CHARACTERS:
        given = (" \n".join(given)[:_MOST_CHARACTERS],)
    return " ".join(words_of_all(given))
