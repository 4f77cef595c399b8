"""What the simulator needs of the outside, by role."""

from collections.abc import Sequence
from typing import Protocol

from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.wire import Record


class Sink(Protocol):
    """Where records go."""

    async def write(self, records: Sequence[Record], tick: Tick) -> None:
        """Take the records of a tick; returns when there is room for more."""
        ...

    async def flush(self) -> None:
        """Return when everything is where it belongs."""
        ...


class Switch(Protocol):
    """Where requests for another scenario come from."""

    def wanted(self) -> Scenario | None:
        """The scenario that was asked for since the last call."""
        ...
