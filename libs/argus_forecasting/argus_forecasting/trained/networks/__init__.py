"""The model families: the same inputs, the same output, different networks."""

from argus_forecasting.trained.networks.family import FAMILIES, Network, NetworkSettings, build, preload

__all__ = ["FAMILIES", "Network", "NetworkSettings", "build", "preload"]
