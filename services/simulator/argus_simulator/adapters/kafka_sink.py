"""Records to the metrics topic, truth to the simulation topic."""

import asyncio
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from argus_common.errors import TransientError
from argus_common.settings import KafkaSettings
from argus_common.topics import METRICS, SIMULATION
from argus_simulator.adapters.truth_lines import append_lines, encode_truth
from argus_simulator.domain.defects import Delivered
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.wire import Renderer

IN_FLIGHT = 20_000
"""Records that may wait for their acknowledgement before we wait with them."""


class KafkaSink:
    """Sends through an idempotent producer; the truth goes to a file instead where one is given."""

    def __init__(
        self, producer: AIOKafkaProducer, settings: KafkaSettings, renderer: Renderer, fleet: str, truth: Path | None
    ) -> None:
        self._producer, self._renderer, self._fleet, self._truth_file = producer, renderer, fleet.encode(), truth
        self._metrics, self._simulation = settings.topic(METRICS.name), settings.topic(SIMULATION.name)
        self._waiting: list[asyncio.Future[object]] = []

    async def write(self, rows: Delivered, tick: Tick) -> int:
        """Send the records and the truth of a tick.

        Raises:
            TransientError: the broker does not take them.
        """
        records = list(self._renderer.records(rows))
        try:
            for key, value in records:
                self._waiting.append(await self._producer.send(self._metrics, value, key))
            await self._write_truth(tick)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while producing samples: {error}") from error
        if len(self._waiting) >= IN_FLIGHT:
            await self.flush()
        return len(records)

    async def flush(self) -> None:
        """Wait for every acknowledgement.

        Raises:
            TransientError: the broker did not take them all.
        """
        waiting, self._waiting = self._waiting, []
        try:
            await asyncio.gather(*waiting)
        except KafkaError as error:
            raise TransientError(f"Kafka failed while producing samples: {error}") from error

    async def _write_truth(self, tick: Tick) -> None:
        lines = encode_truth(tick.truth)
        if self._truth_file is not None:
            append_lines(self._truth_file, lines)
            return
        for line in lines:
            self._waiting.append(await self._producer.send(self._simulation, line, self._fleet))
