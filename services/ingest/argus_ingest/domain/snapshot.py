"""What is kept of a partition between restarts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from argus_common.fleet import FleetSums
from argus_ingest.domain.carry import Parked
from argus_ingest.domain.fleet import FleetStep
from argus_ingest.domain.steps import NEVER


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A partition as it was last saved."""

    position: int = 0
    """The offset up to which every record was accounted for."""
    heads: Mapping[str, int] = field(default_factory=dict)
    """Last closed step by server name."""
    sums: Mapping[FleetStep, FleetSums] = field(default_factory=dict)
    floor: int = NEVER
    """The newest head of the servers that were forgotten."""
    parked: Parked = field(default_factory=dict)
    """The last samples of counters that need not be read again."""
    profiles: Mapping[str, str] = field(default_factory=dict)
    """By server name: not every record need name one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a partition since its last snapshot."""

    position: int
    heads: Mapping[str, int] = field(default_factory=dict)
    sums: Mapping[FleetStep, FleetSums] = field(default_factory=dict)
    """Of all steps that are kept."""
    changed: Mapping[FleetStep, FleetSums] = field(default_factory=dict)
    floor: int = NEVER
    parked: Parked = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
    """Of the servers in ``heads``."""
    forgotten: Sequence[str] = ()
    """Servers to drop before the rest is written: one of them may be back already."""
