"""Which forecaster a command uses: ``--model``, ``--statistical``, or what is shipped."""

from pathlib import Path

from argus_common.errors import ConfigurationError
from argus_forecasting.forecaster import Forecaster
from argus_forecasting.statistical import AnalogForecaster


def open_forecaster(model: Path | None, *, statistical: bool) -> Forecaster:
    """The forecaster that was asked for; the statistical one where none was.

    Raises:
        ConfigurationError: both were asked for.
        ModelUnavailableError: the model can't be trusted or read.
    """
    if model is not None and statistical:
        raise ConfigurationError("give either --model or --statistical")
    if model is None:
        return AnalogForecaster()
    from argus_forecasting.trained.forecaster import TrainedForecaster  # noqa: PLC0415 - torch takes seconds

    return TrainedForecaster.open(model)
