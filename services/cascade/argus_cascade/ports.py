"""The detector, as the service sees it."""

from collections.abc import Callable
from typing import Protocol

from argus_cascade.domain.followers import Forecasts
from argus_cascade.domain.life.change import Changed
from argus_cascade.domain.tick import FleetTick


class Judged(Protocol):
    """What a tick has brought. ``health``: 0 … 100. ``share_abnormal``, ``risk``: 0 … 1. ``forecasts``: how followers
    were foretold so far.
    """

    @property
    def changes(self) -> tuple[Changed, ...]: ...  # noqa: D102
    @property
    def health(self) -> float: ...  # noqa: D102
    @property
    def share_abnormal(self) -> float: ...  # noqa: D102
    @property
    def risk(self) -> float: ...  # noqa: D102
    @property
    def forecasts(self) -> Forecasts: ...  # noqa: D102


class Detector(Protocol):
    """Of one fleet. The same snapshot has the same future."""

    def tick(self, tick: FleetTick, maintenance: Callable[[str, int], bool]) -> Judged:
        """Take in the forecasts of one step; ``maintenance``: (server, step) whether somebody works there."""
        ...

    def snapshot(self) -> bytes:
        """Everything it knows."""
        ...


class Detectors(Protocol):
    """Makes detectors."""

    def new(self) -> Detector:
        """One that knows nothing yet."""
        ...

    def restore(self, snapshot: bytes) -> Detector:
        """One that goes on from a snapshot.

        Raises:
            ValueError: it is of another version.
        """
        ...
