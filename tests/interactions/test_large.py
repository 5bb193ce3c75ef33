"""A large resource is looked at beside the event loop, so that nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace

from hub.context import Context
from hub.errors import Issue
from hub.interactions import Interactions, RegistryHolder
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.validation.validator import Validator
from tests.interactions.conftest import VALIDATOR, observation, patient


class Spy:
    """The validator, and on which threads it worked."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def validate(self, resource: dict[str, Any], **options: Any) -> Sequence[Issue]:
        self.threads.append(threading.get_ident())
        return VALIDATOR.validate(resource, **options)


NAMES = [{"family": "x"}] * 10_000


@pytest.mark.parametrize(
    ("resource", "large", "beside"),
    [
        (patient(name=NAMES), True, True),
        (patient(photo=[{"contentType": "a/b", "data": "AAAA" * 10_000}]), True, True),
        (patient(), True, False),
        (patient(name=NAMES), False, False),
    ],
)
async def test_only_what_may_be_large_and_is_goes_to_a_thread(
    resource: dict[str, Any], large: bool, beside: bool, ctx: Context
) -> None:
    spy, store = Spy(), MemoryStore()
    door = Interactions(store, spy, RegistryHolder(store), Settings())
    context = replace(ctx, large=large)
    await door.create(context, "Patient", resource)
    await door.update(context, "Patient", "p", resource | {"id": "p"})
    assert len(spy.threads) == 2
    assert all((thread != threading.get_ident()) is beside for thread in spy.threads)


def test_threads_that_meet_a_type_at_once_define_it_once() -> None:
    for _ in range(10):
        validator, together = Validator(), threading.Barrier(4)

        def work(validator: Validator = validator, together: threading.Barrier = together) -> bool:
            together.wait()
            return not validator.validate(observation("Patient/1"))

        with ThreadPoolExecutor(4) as pool:
            assert all(one.result() for one in [pool.submit(work) for _ in range(4)])
        assert "check_Observation" not in validator.fast._waiting
