"""Serves a trained model behind the `Forecaster` port."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from argus_common.errors import ConfigurationError
from argus_forecasting.drivers import OWN, Drivers
from argus_forecasting.features.inputs import Prepared, prepare
from argus_forecasting.forecaster import Floats, ForecastBatch, SeriesBatch, Signs, joined
from argus_forecasting.online.bands import scored
from argus_forecasting.practice import practice
from argus_forecasting.statistical.answers import answers
from argus_forecasting.trained.artefact import Manifest, load
from argus_forecasting.trained.device import Cpu, Device, first_that_works
from argus_forecasting.trained.joint import interpolated, joint_paths
from argus_forecasting.trained.networks import Network
from argus_forecasting.trained.occlusion import Arrays, by_occlusion
from argus_forecasting.trained.selection import selected
from argus_forecasting.trained.stand_in import drivers_beside, stand_in

HISTORY_STEPS = 2112
OUTER = (0.1, 0.9)
"""Levels of the quantiles whose change is an input's effect, for a limit below and one above."""


class TrainedForecaster:
    """Statistical forecast → network → quantiles; joint paths by the ranks of the statistical forecast's paths."""

    def __init__(self, manifest: Manifest, network: Network, device: Device | None = None) -> None:
        """Serve ``network`` on ``device``, by default a CPU."""
        self._manifest, self._device = manifest, device or Cpu()
        self._network = self._device.hold(network)

    @staticmethod
    def open(place: Path) -> "TrainedForecaster":
        """The model version in a folder, on a CPU.

        Raises:
            ModelUnavailableError: it can't be trusted or read.
        """
        return TrainedForecaster(*load(place))

    @staticmethod
    def on_first(manifest: Manifest, network: Network, among: Sequence[Device]) -> "TrainedForecaster":
        """Serve ``network`` on the first of these devices that has room for it."""
        largest = 1 if len(among) == 1 else among[0].chunk
        schema = manifest.schema
        trial = prepare(practice(HISTORY_STEPS, schema.step_seconds, largest), schema).inputs.arrays()
        return TrainedForecaster(manifest, network, first_that_works(network, trial, among))

    @property
    def manifest(self) -> Manifest:
        """What the model is."""
        return self._manifest

    @property
    def name(self) -> str:
        """What it is called in events and metrics."""
        return self._manifest.name

    @property
    def version(self) -> str:
        """Its version."""
        return self._manifest.version

    @property
    def kind(self) -> str:
        """The model family."""
        return self._manifest.network.family

    @property
    def history_steps(self) -> int:
        """How many steps it wants to see."""
        return HISTORY_STEPS

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        """Forecast every series; see `ForecastBatch`.

        Raises:
            ConfigurationError: the step or the horizon is not the model's.
        """
        schema = self._manifest.schema
        schema.require_step(batch.step_seconds)
        if horizon > schema.horizon:
            raise ConfigurationError(f"the model forecasts {schema.horizon} steps, {horizon} were asked for")
        slices = [slice(i, i + self._device.chunk) for i in range(0, max(len(batch), 1), self._device.chunk)]
        return joined([self._part(batch.part(rows), horizon, levels) for rows in slices])

    def quantiles(self, prepared: Prepared) -> Floats:
        """(series, lead, level) at the schema's levels, in the metric's unit, rising with the level."""
        return self._quantiles(prepared, prepared.inputs.arrays())

    def drivers(self, batch: SeriesBatch, horizon: int) -> tuple[Drivers, ...]:
        """By the network's own selection and attention where it has them, by occlusion otherwise; see `Explains`."""
        if not len(batch):
            return ()
        prepared = prepare(batch, self._manifest.schema)
        targets = _targets(batch)
        inputs, steps = prepared.inputs.arrays(), batch.origin_step.tolist()
        looked = self._device.look(self._network, inputs)
        found = (
            by_occlusion(self._height(prepared, batch.harm, horizon), inputs, self._manifest.schema, targets)
            if looked is None
            else (selected(looked, i, target, steps[i]) for i, target in enumerate(targets))
        )
        own = tuple(() if young else one for one, young in zip(found, prepared.young.tolist(), strict=True))
        return drivers_beside(batch, own, horizon)

    def _height(self, prepared: Prepared, harm: Signs, horizon: int) -> Callable[[Arrays], Floats]:
        """Inputs → (series,) the outer quantile towards the limit, mean over the horizon, in the metric's unit."""
        levels = np.asarray(self._manifest.schema.levels)
        below, above = (int(np.abs(levels - level).argmin()) for level in OUTER)
        outer = np.where(harm > 0, above, below)

        def height(inputs: Arrays) -> Floats:
            quantiles = self._quantiles(prepared, inputs)[:, :horizon]
            picked: Floats = np.take_along_axis(quantiles, outer[:, None, None], axis=2)[:, :, 0].mean(axis=1)
            return picked

        return height

    def _quantiles(self, prepared: Prepared, inputs: Arrays) -> Floats:
        base, blend = np.asarray(inputs["base"], np.float32), np.float32(self._manifest.calibration.blend)
        scaled = self._device.run(self._network, inputs)
        scaled = base + blend * (scaled - base)
        scaled[prepared.young] = base[prepared.young]
        scaled.sort(axis=2)
        return prepared.scale.inverse(scaled)

    def _part(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        schema, trust = self._manifest.schema, batch.trust
        prepared = prepare(batch, schema)
        quantiles = self.quantiles(prepared)[:, :horizon]
        np.clip(quantiles, batch.lower[:, None, None], batch.upper[:, None, None], out=quantiles)
        paths = joint_paths(prepared.paths[:, :horizon], quantiles, schema.levels)
        own = interpolated(quantiles, schema.levels, levels)
        bands = None if trust is None else trust.own
        served = answers(batch, paths, own, levels, self._manifest.calibration, bands)
        raw = None
        if trust is not None:
            statistical = stand_in(batch, trust, prepared.paths[:, :horizon], levels, served)
            raw = np.stack([scored(own, trust.own.leads), statistical], axis=1)
        known = prepared.history.known
        return ForecastBatch(
            levels,
            *served,
            known.mean(axis=1).astype(np.float32),
            prepared.young | (known.sum(axis=1) < schema.day),
            raw,
        )


def _targets(batch: SeriesBatch) -> list[str]:
    """(series,) the metric that each series is of, "itself" where nothing is known."""
    context = batch.context
    if context is None:
        return [OWN] * len(batch)
    return [context.names[i] if i >= 0 else OWN for i in context.target.tolist()]
