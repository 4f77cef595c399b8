"""Events of the models topic in, swaps out; dead letters."""

from collections.abc import Sequence

from argus_common.errors import MalformedEventError
from argus_common.kafka.dead_letters import dead_letter
from argus_common.kafka.records import EventRecord
from argus_common.lineage import ModelEvent, model_event
from argus_common.retry import Backoff, retry
from argus_inference.handlers import SERVICE
from argus_inference.metrics import InferenceMetrics
from argus_inference.ports import Publisher
from argus_inference.swap import ModelSwap


class PromotionHandler:
    """Follows the events of one model: the newest one decides."""

    def __init__(
        self,
        model: str,
        swap: ModelSwap,
        publisher: Publisher,
        metrics: InferenceMetrics,
        backoff: Backoff | None = None,
    ) -> None:
        self._model, self._swap, self._publisher, self._metrics = model, swap, publisher, metrics
        self._backoff = backoff or Backoff()

    async def on_records(self, records: Sequence[EventRecord]) -> None:
        """Serve what the newest of these events says; none of our model changes nothing.

        Raises:
            TransientError: a dead letter could not be published.
        """
        read = [await self._read(record) for record in records]
        ours = [event for event in read if event is not None and event.model == self._model]
        if ours:
            await self._swap.follow(ours[-1])

    async def on_pause(self) -> None:
        """Do what is due by the clock."""
        await self._swap.look_again()

    async def _read(self, record: EventRecord) -> ModelEvent | None:
        try:
            return model_event(record)
        except MalformedEventError as error:
            letter = dead_letter(record, SERVICE, error.reason, str(error))
            await retry("dead letters", lambda: self._publisher.bury([letter]), self._backoff)
            self._metrics.dead_letters.labels(error.reason).inc()
            return None
