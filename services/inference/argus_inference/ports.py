"""What inference needs of the outside, by role."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from argus_common.events import Record
from argus_common.fleet import FleetSums
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.ring.layout import Floats
from argus_forecasting.forecaster import Forecaster, Ints
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.serving import Served
from argus_inference.domain.trust import Remembered

__all__ = [
    "AlertStore",
    "Display",
    "FleetStore",
    "ForecastLedger",
    "Forecaster",
    "HistoryStore",
    "KeptAlerts",
    "ModelShelf",
    "Publisher",
    "TrustStore",
]


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


@dataclass(frozen=True, slots=True)
class KeptAlerts:
    """What is remembered of the alerts of some servers.

    ``steps``: (server,) last origin, −1 = none. ``step_seconds``: (server,). ``rows``: (server, target, number).
    ``unsent``: per server the events that are not known to be acknowledged, in order.
    """

    steps: Ints
    step_seconds: Ints
    rows: Floats
    unsent: Sequence[Sequence[Record]]


class AlertStore(Protocol):
    """What is remembered of alerts. State and the events that follow from it are written together, or not at all."""

    async def read(self, names: Sequence[str]) -> KeptAlerts:
        """What is remembered of these servers."""
        ...

    async def write(
        self, names: Sequence[str], partitions: Sequence[int], kept: KeptAlerts, standing: Sequence[bool]
    ) -> None:
        """Remember it. ``partitions``: (server,) whence they come. ``standing``: (server,) whether an alert stands."""
        ...

    async def standing(self, partitions: Sequence[int]) -> dict[int, set[str]]:
        """Partition → servers on which an alert stands, or whose events may not be acknowledged."""
        ...

    async def clock(self, newest: dict[str, int]) -> dict[str, int]:
        """Fleet → end of its newest step (epoch seconds) in any replica; ``newest``: those that this one has seen."""
        ...


class TrustStore(Protocol):
    """What was learned of each server's forecasts, by source, and what the sources said before any correction."""

    async def read(self, sources: Sequence[str], names: Sequence[str], step: int) -> Remembered:
        """What is known when ``step`` closes."""
        ...

    async def keep(self, sources: Sequence[str], names: Sequence[str], step: int, rows: Floats, raw: Floats) -> None:
        """Keep what was learned at ``step``, and what was forecast from it; idempotent.

        ``rows``: (source, server, number). ``raw``: (source, server, target, scored lead, level).
        """
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
