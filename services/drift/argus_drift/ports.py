"""What drift shows of a fleet, as its metrics see it; all else that it needs is of `argus_common.forecasts`."""

from collections.abc import Mapping
from dataclasses import dataclass

from argus_drift.domain.fleet.figures import Figures


@dataclass(frozen=True, slots=True)
class Shown:
    """``states``: learning, watched, drifted → servers. ``open``: scope → drifts. ``figures``: profile → measures."""

    targets: tuple[str, ...]
    states: Mapping[str, int]
    open: Mapping[str, int]
    figures: Mapping[str, Figures]
