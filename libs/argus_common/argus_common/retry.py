"""Bounded retry with exponential back-off and jitter, in place: order is kept, nothing is acknowledged meanwhile."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from argus_common.errors import TransientError

ResultT = TypeVar("ResultT")
Sleep = Callable[[float], Awaitable[None]]

JITTER = 0.2
"""Each wait differs by up to this share, so that replicas do not come back in step."""

_log = logging.getLogger("argus.retry")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits grow from ``first`` to ``longest`` seconds, doubling, until ``give_up_after`` seconds have been waited."""

    first: float = 0.1
    longest: float = 5.0
    give_up_after: float = 120.0

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.longest:
            raise ValueError(f"back-off needs 0 < first <= longest, got {self.first} and {self.longest}")

    def waits(self) -> list[float]:
        """The waits between attempts, in seconds, before a jitter of ±20 %.

        >>> Backoff(first=1, longest=4, give_up_after=12).waits()
        [1, 2, 4, 4]
        """
        waits: list[float] = []
        wait = self.first
        while sum(waits) + wait <= self.give_up_after:
            waits.append(wait)
            wait = min(2 * wait, self.longest)
        return waits


async def retry(
    what: str,
    operation: Callable[[], Awaitable[ResultT]],
    backoff: Backoff | None = None,
    sleep: Sleep = asyncio.sleep,
) -> ResultT:
    """The result of ``operation``, tried again while it raises `TransientError`.

    Raises:
        TransientError: it still fails after the last wait; the process should end, its supervisor takes over.
    """
    for attempt, wait in enumerate((backoff or Backoff()).waits(), start=1):
        try:
            return await operation()
        except TransientError as error:
            _log.warning("retrying", extra={"what": what, "attempt": attempt, "error": str(error)})
            await sleep(wait * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - jitter needs no cryptography
    return await operation()
