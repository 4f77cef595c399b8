"""Clients are started, or let go of."""

import asyncio

import pytest

from argus_common.kafka import connect
from argus_common.settings import KafkaSettings


class Client:
    """Starts when it is let. ``stopped``: how often it was stopped."""

    def __init__(self) -> None:
        self.starting, self.let, self.stopped = asyncio.Event(), asyncio.Event(), 0

    async def start(self) -> None:
        self.starting.set()
        await self.let.wait()

    async def stop(self) -> None:
        self.stopped += 1


async def test_a_client_that_is_told_to_end_while_it_starts_is_stopped() -> None:
    client = Client()
    connecting = asyncio.create_task(connect(client, KafkaSettings()))
    await client.starting.wait()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert client.stopped == 1


async def test_a_client_that_has_started_is_left_running() -> None:
    client = Client()
    client.let.set()
    await connect(client, KafkaSettings())
    assert client.stopped == 0
