"""Scenario requests from the commands topic."""

import asyncio
import logging

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from argus_common.errors import MalformedEventError
from argus_common.events import ScenarioRequested, decode
from argus_simulator.domain.scenarios import Scenario

_log = logging.getLogger("argus.simulator.switch")


class NoSwitch:
    """Nobody asks for anything."""

    def wanted(self) -> Scenario | None:
        """None."""
        return None


class KafkaSwitch:
    """Listens to requests that are made from now on; run ``listen`` beside the player."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._wanted: Scenario | None = None

    def wanted(self) -> Scenario | None:
        """The latest request since the last call."""
        wanted, self._wanted = self._wanted, None
        return wanted

    async def listen(self) -> None:
        """Until cancelled."""
        await self._consumer.start()
        await self._consumer.seek_to_end()
        while True:
            await self._take()

    async def stop(self) -> None:
        """Let go of Kafka, however far `listen` came: it may not even have begun."""
        await self._consumer.stop()

    async def _take(self) -> None:
        try:
            batches = await self._consumer.getmany(timeout_ms=200)
        except KafkaError as error:
            _log.warning("can't read commands, trying again", extra={"error": str(error)})
            await asyncio.sleep(1)
            return
        for record in (record for records in batches.values() for record in records):
            try:
                self._wanted = Scenario(decode(ScenarioRequested, record).scenario)
                _log.info("scenario requested", extra={"scenario": self._wanted.value})
            except MalformedEventError as error:
                _log.info("command is not for us", extra={"reason": error.reason})
