import logging
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.errors import ConfigurationError, TransientError
from argus_common.retry import JITTER, Backoff, retry


class Waits:
    """Stands in for ``asyncio.sleep`` and remembers."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def failing(times: int, error: Exception) -> Callable[[], Awaitable[str]]:
    left = [times]

    async def operation() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "done"

    return operation


def test_waits_double_up_to_the_longest() -> None:
    assert Backoff(first=0.5, longest=3, give_up_after=10).waits() == [0.5, 1.0, 2.0, 3, 3]


@given(
    first=st.floats(0.001, 10),
    ratio=st.floats(1, 100),
    give_up_after=st.floats(0, 600),
)
def test_the_waits_are_bounded_and_never_shrink(first: float, ratio: float, give_up_after: float) -> None:
    backoff = Backoff(first, first * ratio, give_up_after)
    if give_up_after / first > 5000:
        return
    waits = backoff.waits()
    assert sum(waits) <= give_up_after
    assert all(first <= wait <= backoff.longest for wait in waits)
    assert waits == sorted(waits)


@pytest.mark.parametrize(("first", "longest"), [(0, 1), (-1, 1), (2, 1), (0, 0)])
def test_a_backoff_that_would_never_end_or_shrink_is_refused(first: float, longest: float) -> None:
    with pytest.raises(ValueError, match="0 < first <= longest"):
        Backoff(first=first, longest=longest)


async def test_what_works_is_not_retried() -> None:
    waits = Waits()
    assert await retry("x", failing(0, TransientError("away")), sleep=waits) == "done"
    assert waits.seconds == []


async def test_a_transient_failure_is_retried_with_jittered_waits_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    waits = Waits()
    with caplog.at_level(logging.WARNING, "argus.retry"):
        result = await retry(
            "write", failing(3, TransientError("Redis away")), Backoff(first=1, longest=4), sleep=waits
        )
    assert result == "done"
    assert len(waits.seconds) == 3
    for wait, planned in zip(waits.seconds, [1, 2, 4], strict=True):
        assert planned * (1 - JITTER) <= wait <= planned * (1 + JITTER)
    assert [(vars(r)["what"], vars(r)["attempt"], vars(r)["error"]) for r in caplog.records] == [
        ("write", 1, "Redis away"),
        ("write", 2, "Redis away"),
        ("write", 3, "Redis away"),
    ]


async def test_a_lasting_failure_is_raised_after_the_last_wait() -> None:
    waits = Waits()
    with pytest.raises(TransientError, match="away"):
        await retry("x", failing(100, TransientError("away")), Backoff(1, 1, give_up_after=3), sleep=waits)
    assert len(waits.seconds) == 3


@pytest.mark.parametrize("error", [ConfigurationError("wrong password"), ZeroDivisionError("a bug")])
async def test_other_errors_are_never_retried(error: Exception) -> None:
    waits = Waits()
    with pytest.raises(type(error)):
        await retry("x", failing(1, error), sleep=waits)
    assert waits.seconds == []
