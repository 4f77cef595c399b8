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

from argus_common.errors import ConfigurationError
from argus_common.metrics import Catalogue
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.schema import HORIZON, KNOTS, FeatureSchema
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import Manifest, place_for, save
from argus_forecasting.trained.networks import Network
from argus_forecasting.training.assess import assess
from argus_forecasting.training.callbacks import Report
from argus_forecasting.training.card import card
from argus_forecasting.training.card_plots import draw
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
    ``warm``: a version to train further: its inputs, horizon and weights are the beginning. ``horizon``: None = the
    version's to train further, else `HORIZON`. ``notes``: Markdown for the card, such as where the data is from.
    """

    name: str
    version: str
    created: str
    targets: tuple[str, ...]
    settings: TrainingSettings
    validation: float = 0.15
    test: float = 0.0
    excluded: npt.NDArray[np.bool_] | None = None
    warm: tuple[Manifest, Network] | None = None
    horizon: int | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Reports:
    """Who hears of progress: ``stage`` (a sentence), ``step`` of training, ``windows`` assessed."""

    stage: Callable[[str], None]
    step: Report
    windows: Callable[[int], None]


def schema_of(store: TraceStore, order: Order) -> FeatureSchema:
    """What a model of this trace is given; a version that is trained further is given what it was before: profiles
    and metrics that it does not know are left out.

    Raises:
        ConfigurationError: the version to train further has another step or horizon.
    """
    if order.warm is not None:
        known = order.warm[0].schema
        known.require_step(store.step_seconds)
        if order.horizon not in (None, known.horizon):
            raise ConfigurationError(
                f"the version to train further forecasts {known.horizon} steps: leave --horizon out"
            )
        return known
    horizon = order.horizon or HORIZON
    profiles = tuple(sorted({profile for profile in store.profile if profile}))
    knots = (*(knot for knot in KNOTS if knot < horizon), horizon)
    return FeatureSchema(store.step_seconds, order.targets, profiles, store.metrics, horizon, knots=knots)


def train(
    store: TraceStore, catalogue: Catalogue, order: Order, folder: Path, work: Path, reports: Reports
) -> tuple[Path, Fitted]:
    """Train and write a version under ``folder``; ``work`` keeps the checkpoint until it is done.

    Stopped by a signal it writes the best model so far, and a second call goes on from the checkpoint. Of several
    processes that train together the first writes; the others return when training is done.

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
    begin = None if order.warm is None else order.warm[1]
    fitted = fit(source, parts, windows(source, at), settings, work, reports.step, begin)
    if fitted.rank:
        return folder / order.name / order.version, fitted
    reports.stage("assessing")
    manifest = Manifest(
        order.name,
        order.version,
        order.created,
        schema,
        settings.network,
        Calibration(),
        training=_training(store, catalogue, parts, order, fitted),
    )
    manifest, found = assess(manifest, fitted.network, source, at, reports.windows)
    pictures = draw(found, store)
    text = card(manifest, tuple(pictures), order.notes)
    place = save(folder, manifest, fitted.network, text, pictures)
    if not fitted.stopped:
        shutil.rmtree(work, ignore_errors=True)
    return place, fitted


def _training(store: TraceStore, catalogue: Catalogue, parts: Split, order: Order, fitted: Fitted) -> dict[str, Any]:
    settings = order.settings

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
        "validation_loss": None if np.isnan(fitted.loss) else round(fitted.loss, 6),
        "trained_further": "" if order.warm is None else f"{order.warm[0].name} {order.warm[0].version}",
        "excluded_share": 0.0 if order.excluded is None else round(float(order.excluded.mean()), 4),
        "data_fingerprint": fingerprint(store),
        "metric_catalogue": catalogue_version(catalogue),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def fingerprint(store: TraceStore) -> str:
    """Tells one trace from another: servers, metrics, span and a sample of the values."""
    digest = hashlib.sha256(repr((store.servers, store.metrics, store.first_step, store.length)).encode())
    digest.update(np.ascontiguousarray(store.values[:, :, ::FINGERPRINT_COLUMNS]).tobytes())
    return digest.hexdigest()[:16]


def catalogue_version(catalogue: Catalogue) -> str:
    """Tells one metric catalogue from another: 16 hexadecimal digits of the sha256 of what it says."""
    return hashlib.sha256(catalogue.model_dump_json().encode()).hexdigest()[:16]


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
