"""The fleets of the partitions that are ours."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from argus_common.events import Record
from argus_common.forecasts.collector import Collector
from argus_common.forecasts.ports import FleetKey
from argus_drift.domain.fleet.columns import Row
from argus_drift.domain.fleet.snapshots import packed, unpacked
from argus_drift.domain.fleet.watch import Watch
from argus_drift.ports import Shown

_log = logging.getLogger("argus.drift.fleets")


@dataclass(slots=True)
class Fleet:
    """A fleet that is followed. ``watch``: None before its first step.

    ``unsaved``: offset of the first record since the end of an hour, for what is known is remembered by the hour.
    """

    collector: Collector[Row]
    watch: Watch | None = None
    unsent: list[Record] = field(default_factory=list)
    unsaved: int | None = None
    shown: Shown | None = None

    def first_needed(self) -> int | None:
        """Offset of the first record that `pack` does not tell of."""
        return self.collector.first_needed() if self.unsaved is None else self.unsaved

    def pack(self) -> bytes:
        """All that must survive."""
        return b"" if self.watch is None else packed(self.watch, self.collector.ticked, self.collector.heard)


@dataclass(frozen=True, slots=True)
class Fleets:
    """Makes fleets of these targets, new ones and from what was kept."""

    targets: tuple[str, ...]
    settle_seconds: float

    def new(self) -> Fleet:
        """One of which nothing is known."""
        return Fleet(Collector(self.settle_seconds))

    def restored(self, key: FleetKey, raw: bytes, unsent: Sequence[Record]) -> Fleet:
        """One as its last holder left it."""
        if not raw:  # nothing was known of it yet
            return Fleet(Collector(self.settle_seconds), unsent=list(unsent))
        try:
            watch, ticked, heard = unpacked(raw, self.targets)
        except ValueError as error:
            _log.warning("a fleet is learned anew", extra={"fleet": key[0], "reason": str(error)})
            return Fleet(Collector(self.settle_seconds), unsent=list(unsent))
        return Fleet(Collector(self.settle_seconds, ticked, heard), watch, list(unsent))
