"""Adds closed windows to the fleet sums of this partition."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np

from argus_common.fleet import FleetSums
from argus_ingest.domain.aggregate import Windows
from argus_ingest.domain.servers import ServerTable

STEPS_KEPT = 64
"""Sums of older steps are final: a window that closes later than this no longer counts towards its fleet."""

FleetStep = tuple[str, int]


@dataclass(slots=True)
class FleetLedger:
    """The sums of the latest steps of one partition, by fleet and step."""

    sums: dict[FleetStep, FleetSums] = field(default_factory=dict)

    def add(
        self, windows: Iterable[Windows], servers: ServerTable, names: tuple[str, ...]
    ) -> dict[FleetStep, FleetSums]:
        """Count the windows in and return the sums that changed."""
        changed: dict[FleetStep, FleetSums] = {}
        for window in windows:
            fleets = np.array([servers.fleets[i] for i in window.server.tolist()])
            for fleet in np.unique(fleets).tolist():
                key = (fleet, window.step)
                part = FleetSums.of(window.values[fleets == fleet], names)
                self.sums[key] = changed[key] = self.sums.get(key, FleetSums.none()).merge(part)
        self._forget_old()
        return {key: sums for key, sums in changed.items() if key in self.sums}

    def keep(self, fleets: AbstractSet[str]) -> None:
        """Forget the fleets that have no server any more."""
        self.sums = {key: sums for key, sums in self.sums.items() if key[0] in fleets}

    def _forget_old(self) -> None:
        newest: dict[str, int] = {}
        for fleet, step in self.sums:
            newest[fleet] = max(newest.get(fleet, step), step)
        self.sums = {key: sums for key, sums in self.sums.items() if key[1] > newest[key[0]] - STEPS_KEPT}

    @classmethod
    def restored(cls, sums: Mapping[FleetStep, FleetSums]) -> "FleetLedger":
        """The ledger as it was saved."""
        return cls(dict(sums))
