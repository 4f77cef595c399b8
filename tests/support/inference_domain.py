"""Inference driven by hand: a small catalogue, a stub forecaster, and the outside in memory."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from argus_common.events import SCORED_LEADS, Record, WindowClosed, encode
from argus_common.fleet import FleetSums
from argus_common.kafka.dead_letters import DeadLetter
from argus_common.metrics import Catalogue
from argus_forecasting.forecaster import Floats, ForecastBatch, Forecaster, SeriesBatch
from argus_forecasting.online.bands import scored
from argus_inference.domain.backlog import Arrived
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.series import Targets
from argus_inference.domain.serving import Served, Serving
from argus_inference.domain.trust import Remembered

STEP = 5_785_632
STEP_SECONDS = 300
LEVELS = (0.1, 0.5, 0.9)
HISTORY = 12

SMALL = Catalogue.model_validate(
    {
        "metrics": {
            "noise": {"name": "noise"},
            "disk": {"name": "disk", "lower": 0, "upper": 100, "harm": 1, "limit": 90, "target": True},
            "idle": {"name": "idle", "lower": 0, "harm": -1, "limit": 5, "severity": 0.5, "target": True},
            "free": {"name": "free", "target": True},
        },
        "limits": {"profiles": {"database": {"disk": 98}}, "servers": {"db1": {"idle": 2}}},
    }
)
"""A metric that is not forecast; targets that hurt above and below a limit, and one without."""
TARGETS = Targets.of(SMALL)


def window(
    server: str = "web1", step: int = STEP, fleet: str = "default", profile: str = "generic", /, **metrics: float
) -> WindowClosed:
    """A window with these metrics, or with 40 in every target."""
    values = metrics or {"disk": 40.0, "idle": 40.0, "free": 40.0}
    return WindowClosed(
        fleet=fleet, server=server, profile=profile, step=step, step_seconds=STEP_SECONDS, samples=3, metrics=values
    )


def arrived(server: str = "web1", step: int = STEP, partition: int = 0, fleet: str = "default") -> Arrived:
    """A window as it was read."""
    return Arrived(window(server, step, fleet), partition, (step + 1) * STEP_SECONDS * 1000 + 500)


@dataclass(frozen=True)
class ReadRecord:
    """A record as the consumer hands it over."""

    offset: int
    value: bytes | None
    partition: int = 0
    headers: Sequence[tuple[str, bytes]] = ()
    topic: str = "argus.windows.v1"
    timestamp: int = (STEP + 1) * STEP_SECONDS * 1000 + 500
    key: bytes | None = b"web1"


def read(offset: int, event: WindowClosed, partition: int = 0) -> ReadRecord:
    """The record of a window."""
    encoded = encode(event, "/argus/ingest")
    return ReadRecord(offset, encoded.value, partition, encoded.headers)


class StubForecaster:
    """Says: the last value, 1 below and 1 above; a breach is as likely as the value is near 100, later more so."""

    name = "stub"
    version = "7"
    kind = "statistical"
    history_steps = HISTORY

    def __init__(self) -> None:
        self.batches: list[SeriesBatch] = []

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        """Forecast every series."""
        self.batches.append(batch)
        size, last = len(batch), np.nan_to_num(batch.values[:, -1])
        quantiles = np.repeat((last[:, None] + np.linspace(-1, 1, len(levels)))[:, None, :], horizon, axis=1)
        chance = np.clip(last[:, None] / 100 * np.array([0.25, 0.5, 0.75, 1.0]), 0, 1)
        times = np.tile(np.array([30.0, np.nan, np.nan]), (size, 1))
        share = (~np.isnan(batch.values)).mean(axis=1)
        return ForecastBatch(
            levels,
            quantiles.astype(np.float32),
            np.where(np.isnan(batch.limit)[:, None], np.nan, chance).astype(np.float32),
            times.astype(np.float32),
            share.astype(np.float32),
            share < 1,
            None if batch.trust is None else self._raw(quantiles.astype(np.float32), batch.trust.own.leads),
        )

    def _raw(self, quantiles: Floats, leads: tuple[int, ...]) -> Floats:
        """Its own, and the same again for the statistical forecaster where it plays a trained one."""
        return np.stack([scored(quantiles, leads)] * (1 if self.kind == "statistical" else 2), axis=1)


def serving_of(forecaster: Forecaster) -> Serving:
    """It serves, and nothing else."""
    return Serving(Served.of(forecaster), Served.of(forecaster))


class InlineExecutor(Executor):
    """Runs what it is given at once."""

    def submit(self, function: Callable[..., Any], /, *arguments: object, **named: object) -> "Future[Any]":
        """The finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - it is the caller's
            future.set_exception(error)
        return future


class MemoryFleets:
    """A `FleetStore` in memory."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, int], FleetSums] = {}

    async def read(self, fleet: str, step: int) -> FleetSums:
        return self.sums.get((fleet, step), FleetSums.none())


@dataclass
class MemoryHistory:
    """A `HistoryStore` of dictionaries: name → step → row."""

    width: int = len(SMALL.names())
    rows: dict[str, dict[int, Floats]] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)

    async def read(self, names: Sequence[str], last_step: int, length: int) -> Floats:
        """(server, time, metric)."""
        self.reads.append(list(names))
        nothing = np.full(self.width, np.nan, np.float32)
        steps = range(last_step - length + 1, last_step + 1)
        rows = [[self.rows.get(name, {}).get(step, nothing) for step in steps] for name in names]
        return np.array(rows, np.float32).reshape(len(names), length, self.width)

    def fill(self, name: str, value: float, last_step: int = STEP, length: int = HISTORY) -> None:
        """The same value in every metric."""
        for step in range(last_step - length + 1, last_step + 1):
            self.rows.setdefault(name, {})[step] = np.full(self.width, value, np.float32)


@dataclass
class MemoryLedger:
    """A `ForecastLedger` of a dictionary: (name, origin) → what was forecast."""

    targets: int = len(TARGETS.names)
    levels: int = len(LEVELS)
    kept: dict[tuple[str, int], Floats] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    async def keep(self, names: Sequence[str], step: int, quantiles: Floats) -> None:
        """Keep (server, target, scored lead, level)."""
        self.log.append("kept")
        self.kept |= {(name, step): row for name, row in zip(names, quantiles.copy(), strict=True)}

    async def due(self, names: Sequence[str], step: int) -> Floats:
        """(server, target, scored lead, level)."""
        out = np.full((len(names), self.targets, len(SCORED_LEADS), self.levels), np.nan, np.float32)
        for i, name in enumerate(names):
            for k, lead in enumerate(SCORED_LEADS):
                if (made := self.kept.get((name, step - lead))) is not None:
                    out[i, :, k] = made[:, k]
        return out


@dataclass
class MemoryTrust:
    """A `TrustStore` of dictionaries: (source, name) → step → row, and a ledger per source."""

    rows: dict[tuple[str, str], dict[int, Floats]] = field(default_factory=dict)
    ledgers: dict[str, MemoryLedger] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    targets: int = len(TARGETS.names)
    levels: int = len(LEVELS)

    async def read(self, sources: Sequence[str], names: Sequence[str], step: int) -> Remembered:
        """What is known when ``step`` closes."""
        known = Remembered.nothing(len(sources), len(names), self.targets, self.levels)
        for k, source in enumerate(sources):
            if source in self.ledgers:
                known.due[k] = await self.ledgers[source].due(names, step)
            for i, name in enumerate(names):
                rows = self.rows.get((source, name), {})
                if newest := max((s for s in rows if s <= step), default=None):
                    known.rows[k, i], known.settled[k, i] = rows[newest], newest == step
        return known

    async def keep(self, sources: Sequence[str], names: Sequence[str], step: int, rows: Floats, raw: Floats) -> None:
        """Keep what was learned at ``step``, and what was forecast from it."""
        self.log.append("learned")
        for source, row, quantiles in zip(sources, rows, raw, strict=True):
            ledger = self.ledgers.setdefault(source, MemoryLedger(self.targets, self.levels))
            await ledger.keep(names, step, quantiles)
            for name, one in zip(names, row, strict=True):
                self.rows.setdefault((source, name), {})[step] = one.copy()


@dataclass
class MemoryPublisher:
    """A `Publisher` that keeps everything, and fails first if told to."""

    sent: list[Record] = field(default_factory=list)
    buried: list[DeadLetter] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    async def send(self, topic: str, records: Iterable[Record]) -> None:
        """Publish."""
        self._fail()
        self.log.append(f"sent to {topic}")
        self.sent += records

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Publish dead letters."""
        self._fail()
        self.log.append("buried")
        self.buried += letters

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class MemoryDisplay:
    """A `Display` that keeps everything."""

    shown: list[tuple[Outcome, Sequence[int]]] = field(default_factory=list)

    def update(self, outcome: Outcome, partitions: Sequence[int]) -> None:
        """Show."""
        self.shown.append((outcome, partitions))
