"""A server that used to report and does not any more."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from argus_cascade.domain.tick import Flags, Floats


def log10_rarity(state: Mapping[str, npt.NDArray[Any]], seen: Flags) -> Floats:
    """(server,) −log10 of the chance that a server as regular as this one is absent for so long; counts the step.

    ``state``: ``heard`` and ``absent`` steps in all, ``missed`` in a row, each (server,).
    """
    state["heard"][seen] += 1
    state["absent"][~seen] += 1
    state["missed"][...] = np.where(seen, 0, state["missed"] + 1)
    earlier = state["absent"] - state["missed"]
    chance = (earlier + 1) / (state["heard"] + earlier + 2)
    rarity: Floats = -state["missed"] * np.log10(chance)
    return rarity
