"""What the tests of statistics share: that a result is whole, and scores by seed."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def whole() -> Callable[[Any], Any]:
    """`whole(result)`: every None has its reason and every reason its None, in it and in what it holds; JSON takes it.

    Gives the result back.
    """

    def check(result: Any) -> Any:
        values = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
        missing = {name for name, value in values.items() if value is None}
        assert missing == set(values.get("reasons", {})), f"{missing} of {result}"
        assert all(values.get("reasons", {}).values()), "an empty reason"
        for value in values.values():
            for part in value if isinstance(value, tuple) else (value,):
                if dataclasses.is_dataclass(part):
                    check(part)
        json.dumps(dataclasses.asdict(result), allow_nan=False)  # plain Python values; no NaN, no infinity
        return result

    return check


@pytest.fixture(scope="session")
def cell() -> Callable[..., dict[int, float]]:
    """`cell(.9, .8)`: scores of the seeds 0, 1, …"""
    return lambda *scores: dict(enumerate(scores))


@pytest.fixture
def draw() -> Callable[..., np.ndarray]:
    """`draw(6, 7)`: standard normal numbers, others at every call, the same in every run of the test."""
    generator = np.random.default_rng(11)
    return lambda *shape: generator.normal(size=shape)
