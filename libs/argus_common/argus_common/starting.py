"""A start that can be called off: a service that waits for Kafka or Redis still ends when it is told to."""

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable

Step = Callable[[], Awaitable[object]]


async def start(stop: Event, *steps: Step) -> bool:
    """Take the steps one after the other; whether all were taken.

    False: ``stop`` was set before, and the step under way was cancelled. What had begun is for the caller to end, as it
    is after an error of a step, which is raised.
    """
    taking, told = asyncio.ensure_future(_take(steps)), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({taking, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        if not taking.done():
            taking.cancel()
            await asyncio.wait({taking})
    if taking.cancelled():
        return False
    taking.result()
    return True


async def _take(steps: tuple[Step, ...]) -> None:
    for step in steps:
        await step()
