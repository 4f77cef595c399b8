"""The stages of a training, each of which is skipped where it was done before."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from argus_common.clock import Clock
from argus_common.errors import ConfigurationError
from argus_common.events import GateResult
from argus_common.metrics import Catalogue, load_catalogue
from argus_forecasting.archive import Archive, open_store
from argus_forecasting.exclusions import excluded_steps
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import load, load_from, read_manifest, save
from argus_forecasting.trained.promotion import ratios
from argus_forecasting.trained.store import CARD, ModelStore
from argus_forecasting.training.module import VALIDATION_LOSS
from argus_forecasting.training.presets import PRESETS, TrainingSettings, auto, device
from argus_forecasting.training.run import Order, Reports, train, with_steps
from argus_forecasting.training.sampling import split
from argus_retrainer.adapters.export import Wanted, export
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive
from argus_retrainer.domain.gate import HeldOut, Tried, judge
from argus_retrainer.domain.gate_figures import Mask
from argus_retrainer.domain.gate_text import gate_text
from argus_retrainer.job.exclude import by_server
from argus_retrainer.job.files import CHECKPOINT, SPANS, STAGING, TRACE, JobFolder, JobOrder, JobProgress, JobResult
from argus_retrainer.job.measure import Field, challenger_and_champion, figures, flaw, seconds_of

TELL_SECONDS = 1.0
VALIDATION = 0.15
MOST_HELD_OUT = 0.4
"""Of the span; the rest must be enough to learn from."""


@dataclass(slots=True)
class Told:
    """Progress, written to the folder at most once a second but for a new stage."""

    folder: JobFolder
    clock: Clock
    _last: JobProgress = field(default_factory=JobProgress)
    _next: float = -1.0

    def stage(self, text: str) -> None:
        """A new stage."""
        self._last = replace(self._last, stage=text)
        self._next = self.clock.monotonic() + TELL_SECONDS
        self.folder.write_progress(self._last)

    def step(self, done: int, total: int, losses: dict[str, float]) -> None:
        """A step of training."""
        loss = losses.get(VALIDATION_LOSS)
        self._last = replace(self._last, done=done, total=total, loss=self._last.loss if loss is None else loss)
        if self.clock.monotonic() >= self._next:
            self.stage(self._last.stage)


def work(folder: JobFolder, order: JobOrder, clock: Clock) -> JobResult:
    """Do what is left to do, and say how it ended.

    Raises:
        TransientError: the archive does not answer; another attempt goes on from here.
    """
    told = Told(folder, clock)
    try:
        return _work(folder, order, clock, told)
    except ConfigurationError as error:
        return JobResult(outcome="failed", ended_ms=clock.now_ms(), reason="data", detail=str(error))


def _work(folder: JobFolder, order: JobOrder, clock: Clock, told: Told) -> JobResult:
    models, staging = ModelStore(Path(order.models)), folder.place / STAGING
    if not models.holds(order.model, order.version):
        catalogue = load_catalogue(None if order.catalogue is None else Path(order.catalogue))
        told.stage("exporting")
        _export(folder, order)
        archive = Archive.at(folder.place / TRACE)
        store = open_store(archive, None, folder.place / "array", catalogue)
        spans = folder.place / SPANS
        excluded = excluded_steps(by_server(pl.read_parquet(spans), archive), store) if spans.exists() else None
        if not ModelStore(staging).holds(order.model, order.version):
            _train(folder, order, store, catalogue, excluded, told)
        told.stage("comparing")
        gate = folder.gate() or _judge(folder, order, store, catalogue, excluded, clock, told)
        folder.write_gate(gate)
        _publish(staging, order, gate)
    manifest = read_manifest(models.place(order.model, order.version))
    decided = GateResult.model_validate(manifest.training["gate"])
    return JobResult(
        outcome="passed" if decided.passed else "rejected",
        ended_ms=clock.now_ms(),
        family=manifest.network.family,
        manifest_sha256=models.sha256(order.model, order.version),
        uri=models.place(order.model, order.version).resolve().as_uri(),
        scores=ratios(manifest),
        gate=decided,
    )


def _export(folder: JobFolder, order: JobOrder) -> None:
    """The newest days, once: a training that is gone on with must see what it saw before."""
    out = folder.place / TRACE
    if out.exists():
        return
    archive = ParquetArchive(ObjectFolder(order.archive))
    days = archive.days()
    if not days:
        raise ConfigurationError(f"{order.archive}: the archive is empty")
    newest = max(day.date for day in days)
    step = max(days, key=lambda day: day.date).step_seconds
    wanted = Wanted(since=newest - timedelta(days=order.days), step_seconds=step)
    export(archive, wanted.of(days), out, lambda: None)


def _train(
    folder: JobFolder, order: JobOrder, store: TraceStore, catalogue: Catalogue, excluded: Mask | None, told: Told
) -> None:
    targets = tuple(metric.name for metric in catalogue.targets() if metric.name in store.metrics)
    if not targets:
        raise ConfigurationError(f"the archive has none of the catalogue's targets; it has {', '.join(store.metrics)}")
    warm, settings = None, _settings(order)
    if order.warm_start and order.champion is not None:
        warm = load(ModelStore(Path(order.models)).require(order.model, order.champion))
        settings = replace(settings, network=warm[0].network)
    created = f"{datetime.fromtimestamp(order.started_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    asked = Order(
        order.model,
        order.version,
        created,
        targets,
        settings,
        VALIDATION,
        _held_out(order, store),
        excluded,
        warm,
        order.horizon,
    )
    reports = Reports(told.stage, told.step, lambda _windows: None)
    train(store, catalogue, asked, folder.place / STAGING, folder.place / CHECKPOINT, reports)


def _settings(order: JobOrder) -> TrainingSettings:
    if (order.family, order.preset) not in PRESETS:
        raise ConfigurationError(f"no preset {order.preset!r} of family {order.family!r}")
    settings = with_steps(auto(PRESETS[order.family, order.preset], device()), order.steps)
    return replace(settings, seed=order.seed)


def _held_out(order: JobOrder, store: TraceStore) -> float:
    """Share of the span."""
    share = order.held_out_days * 86_400 / store.step_seconds / store.length
    if share > MOST_HELD_OUT:
        days = store.length * store.step_seconds / 86_400
        raise ConfigurationError(f"{days:.1f} days are too few to hold {order.held_out_days} out for the gate")
    return share


def _judge(
    folder: JobFolder,
    order: JobOrder,
    store: TraceStore,
    catalogue: Catalogue,
    excluded: Mask | None,
    clock: Clock,
    told: Told,
) -> GateResult:
    staging, models = folder.place / STAGING, ModelStore(Path(order.models))
    challenger, champion, none = challenger_and_champion(staging, models, order.model, order.version, order.champion)
    horizon = challenger.manifest.schema.horizon
    begin = split(store, horizon, VALIDATION, _held_out(order, store)).test.begin
    found = figures(
        challenger, champion, Field(store, begin, excluded), catalogue, lambda t: told.stage(f"comparing {t}")
    )
    tried = Tried(flaw(staging, order.model, order.version), seconds_of(challenger, clock), none)
    ms = store.step_seconds * 1000
    span = HeldOut((store.first_step + begin) * ms, (store.first_step + store.length) * ms)
    return judge(found, tried, span, order.gate)


def _publish(staging: Path, order: JobOrder, gate: GateResult) -> None:
    """The version into the store, with the gate in its card and its manifest."""
    manifest, network = load_from(ModelStore(staging), order.model, order.version)
    place = ModelStore(staging).place(order.model, order.version)
    card = f"{(place / CARD).read_text().rstrip()}\n\n{gate_text(gate)}"
    pictures = {name: (place / name).read_bytes() for name in manifest.files if name != CARD}
    told = replace(manifest, training={**manifest.training, "gate": gate.model_dump(mode="json")})
    unfinished = ModelStore(Path(order.models)).place(order.model, order.version)
    shutil.rmtree(unfinished, ignore_errors=True)  # of an attempt that was cut short: it has no manifest
    save(Path(order.models), told, network, card, pictures)
