"""What inference needs of the outside, by role. The forecaster's port is `argus_forecasting.forecaster.Forecaster`."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from argus_common.events import Record
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.ring.layout import Floats, Steps
from argus_forecasting.forecaster import Forecaster

__all__ = ["Forecaster", "HistoryStore", "Ledger", "Publisher"]


class HistoryStore(Protocol):
    """The rings that ingest writes."""

    async def read(self, names: Sequence[str], last_step: int, length: int) -> Floats:
        """(server, time, metric) the ``length`` steps up to ``last_step``, NaN = missing."""
        ...


class Ledger(Protocol):
    """Earlier forecasts, kept until the steps that they speak of have closed."""

    async def write(self, names: Sequence[str], steps: Steps, values: Floats) -> None:
        """Keep one row per element; idempotent."""
        ...

    async def read_steps(self, names: Sequence[str], steps: Sequence[int]) -> Floats:
        """(server, step, value) of exactly these origins, NaN = none."""
        ...


class Publisher(Protocol):
    """Events and dead letters; both return when everything is acknowledged."""

    async def send(self, topic: str, records: Iterable[Record]) -> None:
        """Publish records to a topic of the catalogue."""
        ...

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Publish dead letters."""
        ...
