"""Starts that succeed, fail, and are called off."""

import asyncio

import pytest

from argus_common.errors import TransientError
from argus_common.starting import Step, start


def noting(taken: list[str], name: str) -> Step:
    async def step() -> None:
        taken.append(name)

    return step


async def test_steps_are_taken_in_their_order() -> None:
    taken: list[str] = []
    assert await start(asyncio.Event(), noting(taken, "kafka"), noting(taken, "redis"))
    assert taken == ["kafka", "redis"]


async def test_a_stop_ends_the_step_that_waits_and_takes_no_other() -> None:
    stop, waiting, taken = asyncio.Event(), asyncio.Event(), list[str]()

    async def wait() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            taken.append("let go")

    starting = asyncio.create_task(start(stop, wait, noting(taken, "redis")))
    await waiting.wait()
    stop.set()
    assert not await starting
    assert taken == ["let go"]


async def test_the_error_of_a_step_is_the_error_of_the_start() -> None:
    async def fail() -> None:
        raise TransientError("Kafka is away")

    with pytest.raises(TransientError, match="Kafka is away"):
        await start(asyncio.Event(), fail)


async def test_a_start_that_is_itself_cancelled_lets_go_of_its_step() -> None:
    waiting, taken = asyncio.Event(), list[str]()

    async def wait() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            taken.append("let go")

    starting = asyncio.create_task(start(asyncio.Event(), wait))
    await waiting.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert taken == ["let go"]
