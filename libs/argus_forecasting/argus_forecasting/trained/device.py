"""Where a network runs: a CPU core, or a GPU that must prove itself first."""

import logging
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from argus_forecasting.forecaster import Floats
from argus_forecasting.trained.networks import Network
from argus_forecasting.trained.occlusion import Arrays
from argus_forecasting.trained.selection import Looked

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

    def run(self, network: Network, inputs: Arrays) -> Floats:
        """(window, lead, level) what the network says of inputs.

        Raises:
            RuntimeError: there is no room, or the device does not work.
        """
        ...

    def look(self, network: Network, inputs: Arrays) -> Looked | None:
        """What the network looked at, None where it does not select."""
        ...


class Cpu:
    """One core, by whatever number of threads torch was told."""

    name = "cpu"
    chunk = 128
    """More fall out of its cache."""

    def hold(self, network: Network) -> Network:
        """See `Device.hold`."""
        return network.to(self.name).eval()

    def run(self, network: Network, inputs: Arrays) -> Floats:
        """See `Device.run`."""
        with torch.inference_mode():
            out: Floats = network(_tensors(inputs, self.name)).numpy()
        return out

    def look(self, network: Network, inputs: Arrays) -> Looked | None:
        """See `Device.look`."""
        with torch.inference_mode():
            return network.look(_tensors(inputs, self.name))


class Cuda:
    """A GPU. Products are in bfloat16 where it has them; what they are added to stays float32."""

    name = "cuda"
    chunk = 4096

    def hold(self, network: Network) -> Network:
        """See `Device.hold`."""
        return network.to(self.name).eval()

    def run(self, network: Network, inputs: Arrays) -> Floats:
        """See `Device.run`."""
        half = torch.autocast(self.name, torch.bfloat16, enabled=torch.cuda.is_bf16_supported())
        with torch.inference_mode(), half:
            out: Floats = network(_tensors(inputs, self.name)).float().cpu().numpy()
        return out

    def look(self, network: Network, inputs: Arrays) -> Looked | None:
        """See `Device.look`."""
        with torch.inference_mode():
            return network.look(_tensors(inputs, self.name))


def devices() -> tuple[Device, ...]:
    """What there is, the fastest first; a CPU always last."""
    return (Cuda(), Cpu()) if torch.cuda.is_available() else (Cpu(),)


def first_that_works(network: Network, trial: Arrays, among: Sequence[Device]) -> Device:
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


def _tensors(inputs: Arrays, device: str) -> dict[str, Tensor]:
    return {name: torch.from_numpy(values).to(device) for name, values in inputs.items()}
