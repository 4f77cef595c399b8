"""The models topic: read whole before the first forecast, then followed beside the forecasting."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argus_common.errors import TransientError
from argus_common.kafka.follow import TopicFollower
from argus_common.retry import retry
from argus_inference.promotions import PromotionHandler

PAUSE_SECONDS = 1.0

_log = logging.getLogger("argus.inference.promotions")


class NoPromotions:
    """There is no store, so nothing is followed."""

    async def begin(self) -> None:
        """Nothing."""

    @asynccontextmanager
    async def followed(self, failed: "asyncio.Future[None]") -> AsyncIterator[None]:
        """Nothing."""
        del failed
        yield


class KafkaPromotions:
    """Hands the models topic to a handler. Every replica reads all of it, without a group."""

    def __init__(self, follower: TopicFollower, handler: PromotionHandler) -> None:
        self._follower, self._handler = follower, handler

    async def begin(self) -> None:
        """Serve what the topic says now, before anything is forecast.

        Raises:
            TransientError: Kafka stayed unwell, or has no such topic.
        """
        await self._handler.on_records(await retry("read the models topic", self._follower.read))

    @asynccontextmanager
    async def followed(self, failed: "asyncio.Future[None]") -> AsyncIterator[None]:
        """Follow the topic within the block; ``failed`` is told of a failure that lasts."""
        following = asyncio.ensure_future(self._follow(failed))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait({following})
            await self._follower.stop()

    async def _follow(self, failed: "asyncio.Future[None]") -> None:
        try:
            while True:
                await self._step()
        except Exception as error:  # noqa: BLE001 - told to whoever awaits ``failed``, which ends the process
            if not failed.done():
                failed.set_exception(error)

    async def _step(self) -> None:
        try:
            records = await self._follower.poll()
        except TransientError as error:
            _log.warning("can't follow the models topic, trying again", extra={"error": str(error)})
            await asyncio.sleep(PAUSE_SECONDS)
            return
        await self._handler.on_records(records)
        await self._handler.on_pause()
