"""Forecasters from the settings and from the model store. A store takes torch, which is loaded before windows flow."""

from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

from argus_common.errors import ArgusError, ConfigurationError
from argus_forecasting.statistical import AnalogForecaster
from argus_forecasting.trained.store import ModelStore
from argus_inference.domain.serving import Served, created_seconds
from argus_inference.settings import InferenceSettings

if TYPE_CHECKING:
    from argus_forecasting.trained.artefact import Manifest
    from argus_forecasting.trained.networks import Network


def of_settings(settings: InferenceSettings) -> Served:
    """The model of the settings, the statistical forecaster where there is none.

    Raises:
        ConfigurationError: the rings are too short for it.
        ModelUnavailableError: it can't be trusted or read.
    """
    if settings.model is None:
        return statistical(settings)
    served = _trained(*_artefacts().load(settings.model))
    if (wanted := served.forecaster.history_steps) > settings.ring_steps:
        raise ConfigurationError(f"{settings.model} looks at {wanted} steps: ARGUS_INFERENCE_RING_STEPS is too small")
    return replace(served, asked_for=True)


def statistical(settings: InferenceSettings) -> Served:
    """The statistical forecaster."""
    return Served.of(AnalogForecaster(settings.history_steps))


class StoreShelf:
    """A `ModelShelf` over a model store."""

    def __init__(self, settings: InferenceSettings, store: ModelStore) -> None:
        """Load torch and what all families need, ten seconds of it: importing it later would hold the forecasts up."""
        self._settings, self._store = settings, store
        from argus_forecasting.trained import networks  # noqa: PLC0415

        networks.preload()

    def holds(self, name: str, version: str) -> bool:
        """See `ModelShelf.holds`."""
        try:
            return self._store.holds(name, version)
        except ArgusError:
            return False

    def open(self, name: str, version: str, sha256: str | None) -> Served:
        """See `ModelShelf.open`."""
        return _trained(*_artefacts().load_from(self._store, name, version, sha256))

    def of_settings(self) -> Served:
        """See `ModelShelf.of_settings`."""
        return of_settings(self._settings)


def _artefacts() -> ModuleType:
    from argus_forecasting.trained import artefact  # noqa: PLC0415 - torch takes seconds, and only trained models need it

    return artefact


def _trained(manifest: "Manifest", network: "Network") -> Served:
    import torch  # noqa: PLC0415

    from argus_forecasting.trained.device import devices  # noqa: PLC0415
    from argus_forecasting.trained.forecaster import TrainedForecaster  # noqa: PLC0415

    torch.set_num_threads(1)  # several spin at barriers beside any other busy process
    served = Served.of(TrainedForecaster.on_first(manifest, network, devices()), manifest.schema)
    return replace(served, created=created_seconds(manifest.created))
