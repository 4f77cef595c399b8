"""What is known of each server in one step, besides the evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import FleetTick
from argus_cascade.domain.verdict import Verdict

Maintenance = Callable[[str, int], bool]
"""Whether somebody works on a server in a step: (server, step)."""

HOUR_SPAN = 1
"""Column of the breach probabilities within an hour."""


def no_maintenance(_server: str, _step: int) -> bool:
    """Nobody works anywhere."""
    return False


@dataclass(frozen=True, slots=True)
class View:
    """A step of a fleet. ``tick``: None where only a verdict is known, as in the replay of a trace."""

    verdict: Verdict
    step_seconds: int
    profiles: Mapping[str, str] = field(default_factory=dict)
    tick: FleetTick | None = None
    maintenance: Maintenance = no_maintenance
    _rows: Mapping[str, int] = field(init=False)
    _heard: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {name: i for i, name in enumerate(self.verdict.servers)})
        heard = () if self.tick is None else self.tick.servers
        object.__setattr__(self, "_heard", {name: i for i, name in enumerate(heard)})

    def row(self, server: str) -> int | None:
        """Row of the verdict, None = it is forgotten."""
        return self._rows.get(server)

    def profile(self, server: str) -> str:
        """Its role, as last heard."""
        return self.profiles.get(server, "generic")

    def abnormal(self, server: str) -> bool:
        """The evidence says so, and it is not forgotten."""
        row = self.row(server)
        return row is not None and bool(self.verdict.abnormal[row])

    def silent(self, server: str) -> bool:
        """It does not report, or has not for so long that it is forgotten."""
        row = self.row(server)
        return row is None or bool(self.verdict.silent[row])

    def worst(self, server: str) -> tuple[str, float]:
        """The metric that is the furthest out, and how far, in sigmas."""
        row = self.row(server)
        if row is None or not self.verdict.targets:
            return "", 0.0
        column = int(np.argmax(self.verdict.strength[row]))
        return self.verdict.targets[column], float(self.verdict.strength[row, column])

    def rarity(self, server: str) -> float:
        """−log10 of the chance of so much evidence in a healthy server; 0 where it is forgotten."""
        row = self.row(server)
        return 0.0 if row is None else float(self.verdict.score[row] / max(1 - self.verdict.score[row], 1e-9))

    def observed(self, server: str, target: str) -> float | None:
        """The value of a metric now, None = not seen."""
        row = self._heard.get(server)
        if self.tick is None or row is None or target not in self.tick.targets:
            return None
        value = float(self.tick.observed[row, self.tick.targets.index(target)])
        return value if np.isfinite(value) else None

    def risk(self, server: str) -> float:
        """0 … 100, 0 where no forecast is known."""
        row = self._heard.get(server)
        return 0.0 if self.tick is None or row is None else float(np.nan_to_num(self.tick.risk[row]))

    def breach_within_hour(self, server: str) -> float:
        """The chance, 0 … 1, that any limit of the server is crossed within an hour; 0 where no forecast is known."""
        row = self._heard.get(server)
        if self.tick is None or row is None or not self.tick.targets:
            return 0.0
        return float(np.nanmax(self.tick.probability[row, :, HOUR_SPAN], initial=0.0))
