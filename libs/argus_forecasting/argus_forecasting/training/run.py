"""From a trace to a model version: the one way that the command line and the retrainer train."""

import hashlib
import importlib.metadata
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Catalogue
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.schema import HORIZON, KNOTS, FeatureSchema
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import Manifest, place_for, save
from argus_forecasting.trained.networks import Network
from argus_forecasting.training.assess import assess
from argus_forecasting.training.callbacks import Report
from argus_forecasting.training.card import card
from argus_forecasting.training.fit import Fitted, fit
from argus_forecasting.training.pools import Source, windows
from argus_forecasting.training.presets import TrainingSettings
from argus_forecasting.training.sampling import Sampler, Split, split

LIBRARIES = ("argus-forecasting", "torch", "lightning", "pytorch-forecasting", "numpy", "polars")
FINGERPRINT_COLUMNS = 997
"""Every so many steps goes into the fingerprint of the data: enough to tell one archive from another."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to train. ``name``, ``version``, ``created`` (RFC 3339): of the model. ``targets``: metrics to forecast.
    ``validation``, ``test``: shares of the span. ``excluded``: (server, time) steps that are not to be learned from.
    ``warm``: begin here.
    """

    name: str
    version: str
    created: str
    targets: tuple[str, ...]
    settings: TrainingSettings
    validation: float = 0.15
    test: float = 0.0
    excluded: npt.NDArray[np.bool_] | None = None
    warm: Network | None = None
    horizon: int = HORIZON


@dataclass(frozen=True, slots=True)
class Reports:
    """Who hears of progress: ``stage`` (a sentence), ``step`` of training, ``windows`` assessed."""

    stage: Callable[[str], None]
    step: Report
    windows: Callable[[int], None]


def schema_of(store: TraceStore, order: Order) -> FeatureSchema:
    """What a model of this trace is given."""
    profiles = tuple(sorted({profile for profile in store.profile if profile}))
    knots = (*(knot for knot in KNOTS if knot < order.horizon), order.horizon)
    return FeatureSchema(store.step_seconds, order.targets, profiles, store.metrics, order.horizon, knots=knots)


def train(
    store: TraceStore, catalogue: Catalogue, order: Order, folder: Path, work: Path, reports: Reports
) -> tuple[Path, Fitted]:
    """Train and write a version under ``folder``; ``work`` keeps the checkpoint until it is done.

    Stopped by a signal it writes the best model so far, and a second call goes on from the checkpoint.

    Raises:
        ConfigurationError: the trace is too short, or lacks a target.
        ModelUnavailableError: the version exists.
    """
    place_for(folder, order.name, order.version)  # before the work, not after it
    schema, settings = schema_of(store, order), order.settings
    parts = split(store, schema.horizon, order.validation, order.test)
    source = Source(store, schema, catalogue, Sampler(store, order.targets, order.excluded))
    reports.stage("cutting validation windows")
    rng = np.random.default_rng([settings.seed, 1])
    at = source.sampler.draw(parts.validation, settings.validation_windows, schema.horizon, rng)
    reports.stage("training")
    fitted = fit(source, parts, windows(source, at), settings, work, reports.step, order.warm)
    reports.stage("assessing")
    manifest = Manifest(
        order.name,
        order.version,
        order.created,
        schema,
        settings.network,
        Calibration(),
        training=_training(store, parts, settings, fitted),
    )
    manifest, _ = assess(manifest, fitted.network, source, at, reports.windows)
    place = save(folder, manifest, fitted.network, card(manifest))
    if not fitted.stopped:
        shutil.rmtree(work, ignore_errors=True)
    return place, fitted


def _training(store: TraceStore, parts: Split, settings: TrainingSettings, fitted: Fitted) -> dict[str, Any]:
    def moment(column: int) -> str:
        stamp = datetime.fromtimestamp((store.first_step + column) * store.step_seconds, UTC)
        return f"{stamp:%Y-%m-%d %H:%M}"

    return {
        "trained_from": moment(parts.train.begin),
        "trained_until": moment(parts.train.end),
        "validated_from": moment(parts.validation.begin),
        "validated_until": moment(parts.validation.end),
        "servers": len(store.servers),
        "steps": fitted.step,
        "steps_planned": settings.steps,
        "batch": settings.batch,
        "seed": settings.seed,
        "validation_loss": round(fitted.loss, 6),
        "data_fingerprint": fingerprint(store),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def fingerprint(store: TraceStore) -> str:
    """Tells one trace from another: servers, metrics, span and a sample of the values."""
    digest = hashlib.sha256(repr((store.servers, store.metrics, store.first_step, store.length)).encode())
    digest.update(np.ascontiguousarray(store.values[:, :, ::FINGERPRINT_COLUMNS]).tobytes())
    return digest.hexdigest()[:16]


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def with_steps(settings: TrainingSettings, steps: int | None) -> TrainingSettings:
    """The same settings with another number of steps, validated ten times, with no more windows than it takes."""
    if steps is None:
        return settings
    windows_needed = steps * settings.batch
    return replace(
        settings,
        steps=steps,
        validate_every=max(1, min(settings.validate_every, steps // 10)),
        pool=max(settings.batch, min(settings.pool, windows_needed // settings.passes)),
        validation_windows=max(settings.batch, min(settings.validation_windows, windows_needed // 4)),
    )
