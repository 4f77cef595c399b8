"""Insists on what the outside must do: retried while it is unwell; meanwhile not ready, but alive."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from argus_common.ops import Health
from argus_common.retry import Backoff, retry

ResultT = TypeVar("ResultT")


async def insist(
    health: Health, whom: str, what: str, operation: Callable[[], Awaitable[ResultT]], backoff: Backoff
) -> ResultT:
    """The result of ``operation``, tried again while ``whom`` is unwell.

    Raises:
        TransientError: it stays unwell for longer than the retries last.
    """

    async def attempt() -> ResultT:
        health.beat()
        return await operation()

    with health.waiting(whom, what):
        return await retry(what, attempt, backoff)
