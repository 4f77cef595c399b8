"""The fleets of the partitions that are ours: each with its collector, its detector and its cascades."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from argus_cascade.domain.columns import Row
from argus_cascade.domain.fleet import Figures, packed, standing_of, unpacked
from argus_cascade.domain.standing import Standing
from argus_cascade.ports import Detector, Detectors
from argus_common.events import Record
from argus_common.forecasts.collector import Collector
from argus_common.forecasts.ports import FleetKey

_log = logging.getLogger("argus.cascade.fleets")


@dataclass(slots=True)
class Fleet:
    """A fleet that is watched. ``unsent``: events that are not known to be acknowledged."""

    collector: Collector[Row]
    detector: Detector
    standing: dict[str, Standing] = field(default_factory=dict)
    unsent: list[Record] = field(default_factory=list)
    figures: Figures | None = None

    def first_needed(self) -> int | None:
        """Offset of the first record that is not in a tick yet."""
        return self.collector.first_needed()

    def pack(self) -> bytes:
        """All that must survive."""
        return packed(
            self.collector.ticked, self.collector.heard, self.detector.snapshot(), self.standing, self.figures
        )


@dataclass(frozen=True, slots=True)
class Fleets:
    """Makes fleets, new ones and from what was kept."""

    detectors: Detectors
    settle_seconds: float

    def new(self) -> Fleet:
        """One of which nothing is known."""
        return Fleet(Collector(self.settle_seconds), self.detectors.new())

    def restored(self, key: FleetKey, raw: bytes, unsent: Sequence[Record]) -> Fleet:
        """One as its last holder left it."""
        try:
            state = unpacked(raw)
            detector = self.detectors.restore(state.detector)
        except ValueError as error:  # of another version: its cascades are not ended, but new ones are found
            _log.warning("a fleet is learned anew", extra={"fleet": key[0], "reason": str(error)})
            return Fleet(Collector(self.settle_seconds), self.detectors.new(), unsent=list(unsent))
        collector: Collector[Row] = Collector(self.settle_seconds, state.ticked, state.heard)
        return Fleet(collector, detector, standing_of(state), list(unsent), state.figures)


Maintenance = Callable[[str, str, int], bool]
"""(fleet, server, event time in milliseconds) → whether somebody works there."""
