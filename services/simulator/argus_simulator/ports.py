"""What the simulator needs of the outside, by role."""

from typing import Protocol

from argus_simulator.domain.defects import Delivered
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Tick


class Sink(Protocol):
    """Where samples and truth go."""

    async def write(self, rows: Delivered, tick: Tick) -> int:
        """Take what is delivered at a tick, and the truth of the tick; returns when there is room for more.

        Returns:
            How many records the rows became.
        """
        ...

    async def flush(self) -> None:
        """Return when everything is where it belongs; nothing is written after it."""
        ...


class Switch(Protocol):
    """Where requests for another scenario come from."""

    def wanted(self) -> Scenario | None:
        """The scenario that was asked for since the last call."""
        ...
