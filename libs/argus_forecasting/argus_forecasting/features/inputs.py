"""Histories to model inputs: the one code that training, backtest and serving share."""

from dataclasses import dataclass, fields

import numpy as np

from argus_forecasting.features.covariates import CHANNELS, covariates
from argus_forecasting.features.fleet import WIDTH as FLEET_WIDTH
from argus_forecasting.features.fleet import as_inputs
from argus_forecasting.features.past_days import past_days
from argus_forecasting.features.scaling import Scale, seasonal_change
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Context, Floats, Ints, Mask, SeriesBatch
from argus_forecasting.statistical.history import History
from argus_forecasting.statistical.summary import quantiles_of
from argus_forecasting.statistical.trajectories import trajectories

HISTORY_DAYS = 7
RECENT = 72
"""Steps that are looked at one by one: six hours of five minutes."""
WIDTH, COARSE, PEAKS = 12, 96, 48
"""Means of twelve steps, so many back, and the highest of as many steps for the last half of them."""
DAY_QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
STATICS = 10


@dataclass(frozen=True, slots=True)
class WindowInputs:
    """Model inputs of windows, in each window's own units (`scaling.Scale`).

    ``recent``: (window, 72) last steps. ``coarse``, ``peaks``: (window, 96), (window, 48) means and maxima of twelve
    steps, latest last. ``days``: (window, knot, 5) the same hours of the last days. ``quantiles``: (window, 7) of the
    last day. ``covariates``: (window, covariate, 14). ``fleet``: (window, 18). ``static``: (window, 10) hour, weekday,
    scale, observed shares. ``base``: (window, lead, level) the statistical forecast. ``profile``, ``target``:
    (window,) 0 = unknown. All float32 but the last two, int64.
    """

    recent: Floats
    coarse: Floats
    peaks: Floats
    days: Floats
    quantiles: Floats
    covariates: Floats
    fleet: Floats
    static: Floats
    base: Floats
    profile: Ints
    target: Ints

    def arrays(self) -> dict[str, Floats | Ints]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Prepared:
    """``inputs`` with what is needed to make values of a model's output: ``scale``, and ``paths``: (window, lead,
    sample) the statistical forecaster's trajectories in the metric's unit. ``young``: (window,) they are a guess.
    ``history``: what was known.
    """

    inputs: WindowInputs
    scale: Scale
    paths: Floats
    young: Mask
    history: History


def prepare(batch: SeriesBatch, schema: FeatureSchema) -> Prepared:
    """The inputs of every series of a batch.

    Raises:
        ConfigurationError: the batch has another step than the model.
    """
    schema.require_step(batch.step_seconds)
    history = History.of(np.ascontiguousarray(batch.values, np.float32))
    paths, young = trajectories(history, batch.lower, batch.upper, schema.horizon, batch.step_seconds)
    levels = quantiles_of(paths.copy(), schema.levels)
    seen = history.filled[:, -HISTORY_DAYS * schema.day :]
    scale = Scale.of(seen, schema.day)
    scaled = scale.forward(seen)
    inputs = WindowInputs(
        _last(scaled, RECENT),
        _last(scaled, WIDTH * COARSE).reshape(len(seen), COARSE, WIDTH).mean(axis=2),
        _last(scaled, WIDTH * PEAKS).reshape(len(seen), PEAKS, WIDTH).max(axis=2),
        scale.forward(past_days(seen, schema.day, schema.knots)),
        np.quantile(scaled[:, -schema.day :], DAY_QUANTILES, axis=1).T.astype(np.float32),
        *_of_servers(batch, schema),
        _static(batch, history, seen, scale, schema.day),
        scale.forward(levels),
        *_kinds(batch, schema),
    )
    return Prepared(inputs, scale, paths, young, history)


def _last(scaled: Floats, count: int) -> Floats:
    """(window, count) the last columns; the first one known stands for what was before it."""
    missing = count - scaled.shape[1]
    return scaled[:, -count:] if missing <= 0 else np.pad(scaled, ((0, 0), (missing, 0)), "edge")


def _static(batch: SeriesBatch, history: History, seen: Floats, scale: Scale, day: int) -> Floats:
    hour = 2 * np.pi * (batch.origin_step % day) / day
    weekday = 2 * np.pi * (batch.origin_step // day % 7) / 7
    spread = scale.spread
    columns = [
        np.sin(hour),
        np.cos(hour),
        np.sin(weekday),
        np.cos(weekday),
        np.log(spread),
        np.log(np.abs(scale.centre) + 1e-2),
        np.log(seasonal_change(seen, day) / spread + 1e-3),
        np.log(seen.std(axis=1) / spread + 1e-3),
        history.known[:, -day:].mean(axis=1),
        history.known.mean(axis=1),
    ]
    return np.column_stack(columns).astype(np.float32)


def _of_servers(batch: SeriesBatch, schema: FeatureSchema) -> tuple[Floats, Floats]:
    """(window, covariate, channel) and (window, 18); zero where nothing is known of the server."""
    context = batch.context
    if context is None:
        shape = (len(batch), len(schema.covariates), CHANNELS)
        return np.zeros(shape, np.float32), np.zeros((len(batch), FLEET_WIDTH), np.float32)
    others = covariates(context, schema.covariates, schema.day)
    return others[context.server], as_inputs(context.fleet)[context.server]


def _kinds(batch: SeriesBatch, schema: FeatureSchema) -> tuple[Ints, Ints]:
    """(window,) codes of profile and target."""
    context = batch.context
    if context is None:
        return np.zeros(len(batch), np.int64), np.zeros(len(batch), np.int64)
    return _profiles(context, schema)[context.server], _targets(context, schema)[context.target]


def _profiles(context: Context, schema: FeatureSchema) -> Ints:
    codes = {name: i for i, name in enumerate(schema.profiles, start=1)}
    return np.array([codes.get(name, 0) for name in context.profile], np.int64)


def _targets(context: Context, schema: FeatureSchema) -> Ints:
    codes = {name: i for i, name in enumerate(schema.targets, start=1)}
    return np.array([*(codes.get(name, 0) for name in context.names), 0], np.int64)
