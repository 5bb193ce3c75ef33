"""The demo data set as a stream of resources.

Called by the `demo` command, `serve --demo` and the benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.demo.centre import Resource, make_centre
from hub.demo.patient import make_patient

DEFAULT_PATIENTS = 200
DEFAULT_SEED = 1


def generate(patients: int = DEFAULT_PATIENTS, seed: int = DEFAULT_SEED) -> Iterator[Resource]:
    """Resources in an order in which every reference points backwards.

    Args:
        patients: Number of residents, about 20 resources each.
        seed: The same seed gives the same resources.
    """
    centre = make_centre(seed)
    yield from centre.resources()
    for number in range(patients):
        yield from make_patient(seed, number, centre)
