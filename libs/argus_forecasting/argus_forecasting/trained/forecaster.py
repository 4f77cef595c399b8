"""Serves a trained model behind the `Forecaster` port."""

from pathlib import Path

import numpy as np
import torch

from argus_common.errors import ConfigurationError
from argus_forecasting.features.inputs import Prepared, prepare
from argus_forecasting.forecaster import Floats, ForecastBatch, SeriesBatch, joined
from argus_forecasting.online.bands import scored
from argus_forecasting.statistical.answers import answers
from argus_forecasting.trained.artefact import Manifest, load
from argus_forecasting.trained.joint import interpolated, joint_paths
from argus_forecasting.trained.networks import Network
from argus_forecasting.trained.stand_in import stand_in

CHUNK = 128
"""Series at once on a CPU: more fall out of its cache."""
CHUNK_ON_GPU = 4096
HISTORY_STEPS = 2112


class TrainedForecaster:
    """Statistical forecast → network → quantiles; joint paths by the ranks of the statistical forecast's paths."""

    def __init__(self, manifest: Manifest, network: Network, device: str = "cpu") -> None:
        """Serve ``network`` on ``device``."""
        self._manifest, self._device = manifest, torch.device(device)
        self._network = network.to(self._device).eval()
        self._chunk = CHUNK if self._device.type == "cpu" else CHUNK_ON_GPU

    @staticmethod
    def open(place: Path, device: str = "cpu") -> "TrainedForecaster":
        """The model version in a folder.

        Raises:
            ModelUnavailableError: it can't be trusted or read.
        """
        manifest, network = load(place)
        return TrainedForecaster(manifest, network, device)

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
        slices = [slice(i, i + self._chunk) for i in range(0, max(len(batch), 1), self._chunk)]
        return joined([self._part(batch.part(rows), horizon, levels) for rows in slices])

    def quantiles(self, prepared: Prepared) -> Floats:
        """(series, lead, level) at the schema's levels, in the metric's unit, rising with the level."""
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(a).to(self._device) for name, a in prepared.inputs.arrays().items()}
            scaled = self._network(inputs).float().cpu().numpy()
        base, blend = prepared.inputs.base, np.float32(self._manifest.calibration.blend)
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
