"""What inference needs of the outside, by role."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from argus_common.events import Record
from argus_common.fleet import FleetSums
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.ring.layout import Floats
from argus_forecasting.forecaster import Forecaster
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.serving import Served

__all__ = ["Display", "FleetStore", "ForecastLedger", "Forecaster", "HistoryStore", "ModelShelf", "Publisher"]


class HistoryStore(Protocol):
    """The rings that ingest writes."""

    async def read(self, names: Sequence[str], last_step: int, length: int) -> Floats:
        """(server, time, metric) the ``length`` steps up to ``last_step``, NaN = missing."""
        ...


class FleetStore(Protocol):
    """The fleets' aggregates that ingest writes."""

    async def read(self, fleet: str, step: int) -> FleetSums:
        """The sums over all servers of a fleet at a step; over none where the step is unknown."""
        ...


class ForecastLedger(Protocol):
    """Earlier forecasts, kept until the steps that they speak of have closed."""

    async def keep(self, names: Sequence[str], step: int, quantiles: Floats) -> None:
        """Keep (server, target, scored lead, level) from origin ``step``; idempotent."""
        ...

    async def due(self, names: Sequence[str], step: int) -> Floats:
        """(server, target, scored lead, level) what was forecast for ``step`` that many steps ago, NaN = nothing."""
        ...


class Publisher(Protocol):
    """Events and dead letters; both return when everything is acknowledged."""

    async def send(self, topic: str, records: Iterable[Record]) -> None:
        """Publish records to a topic of the catalogue."""
        ...

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Publish dead letters."""
        ...


class ModelShelf(Protocol):
    """Where models come from. All of it takes long and is called in a thread of its own."""

    def holds(self, name: str, version: str) -> bool:
        """Whether the version is there, complete."""
        ...

    def open(self, name: str, version: str, sha256: str | None) -> Served:
        """A version, ready to forecast.

        Raises:
            ArgusError: it is missing, altered or of another making.
        """
        ...

    def of_settings(self) -> Served:
        """What serves where no version was promoted.

        Raises:
            ArgusError: it can't be read.
        """
        ...


class Display(Protocol):
    """Where the newest forecasts can be looked at."""

    def update(self, outcome: Outcome, partitions: Sequence[int]) -> None:
        """Show these servers' forecasts in place of their earlier ones; ``partitions``: (server,) whence they came."""
        ...
