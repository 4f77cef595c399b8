"""The statistical forecaster: analogs of now in a series' own past, in numpy, without training."""

from argus_forecasting.statistical.analog_forecaster import AnalogForecaster

__all__ = ["AnalogForecaster"]
