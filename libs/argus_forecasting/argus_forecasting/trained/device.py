"""Where a network runs: a CPU core, or a GPU that must prove itself first."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch

from argus_forecasting.forecaster import Floats
from argus_forecasting.trained.networks import Network

_log = logging.getLogger("argus.forecasting.device")


class Device(Protocol):
    """Runs networks. ``chunk``: series at once."""

    name: str
    chunk: int

    def hold(self, network: Network) -> Network:
        """The network, in this device's memory.

        Raises:
            RuntimeError: there is no room, or the device does not work.
        """
        ...

    def run(self, network: Network, inputs: Mapping[str, np.ndarray]) -> Floats:
        """(window, lead, level) what the network says of inputs (`WindowInputs.arrays`).

        Raises:
            RuntimeError: there is no room, or the device does not work.
        """
        ...


class Cpu:
    """One core, by whatever number of threads torch was told."""

    name = "cpu"
    chunk = 128
    """More fall out of its cache."""

    def hold(self, network: Network) -> Network:
        """See `Device.hold`."""
        return network.to(self.name).eval()

    def run(self, network: Network, inputs: Mapping[str, np.ndarray]) -> Floats:
        """See `Device.run`."""
        with torch.inference_mode():
            out: Floats = network({name: torch.from_numpy(values) for name, values in inputs.items()}).numpy()
        return out


class Cuda:
    """A GPU. Products are in bfloat16 where it has them; what they are added to stays float32."""

    name = "cuda"
    chunk = 4096

    def hold(self, network: Network) -> Network:
        """See `Device.hold`."""
        return network.to(self.name).eval()

    def run(self, network: Network, inputs: Mapping[str, np.ndarray]) -> Floats:
        """See `Device.run`."""
        tensors = {name: torch.from_numpy(values).to(self.name) for name, values in inputs.items()}
        with torch.inference_mode(), torch.autocast(self.name, torch.bfloat16, enabled=torch.cuda.is_bf16_supported()):
            out: Floats = network(tensors).float().cpu().numpy()
        return out


def devices() -> tuple[Device, ...]:
    """What there is, the fastest first; a CPU always last."""
    return (Cuda(), Cpu()) if torch.cuda.is_available() else (Cpu(),)


def first_that_works(network: Network, trial: Mapping[str, np.ndarray], among: Sequence[Device]) -> Device:
    """The first device that runs ``network`` on the ``trial`` inputs; the last one is not tried.

    One that has no room or does not work is told in the log and passed over.
    """
    for device in among[:-1]:
        try:
            device.run(device.hold(network), trial)
        except RuntimeError as error:  # torch's out-of-memory error is one
            _log.warning("device passed over", extra={"device": device.name, "why": str(error).partition("\n")[0]})
            continue
        return device
    return among[-1]
