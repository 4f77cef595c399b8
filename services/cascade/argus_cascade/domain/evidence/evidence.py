"""Evidence against each server of a fleet, gathered step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr

from argus_cascade.domain.evidence import discoveries, usual
from argus_cascade.domain.evidence.rows import Rows
from argus_cascade.domain.evidence.settings import EvidenceSettings
from argus_cascade.domain.tick import Flags, Floats
from argus_cascade.domain.verdict import Verdict

DAY_SECONDS = 86_400
Snapshot = dict[str, npt.NDArray[Any]]


@dataclass(slots=True)
class Evidence:
    """Of one fleet. Feed each step once, in order; servers and their order may change from step to step.

    >>> evidence = Evidence("default", 300, ("cpu_used_pct",), np.array([1.0]))
    >>> calm = [evidence.observe(step, ("a", "b"), np.array([[0.1], [-0.2]])) for step in range(50)]
    >>> evidence.observe(50, ("a", "b"), np.array([[9.0], [0.0]])).abnormal.tolist()
    [True, False]
    """

    fleet: str
    step_seconds: int
    targets: tuple[str, ...]
    harm: Floats
    """(target,) +1 high hurts, −1 low hurts, 0 both."""
    settings: EvidenceSettings = field(default_factory=EvidenceSettings)
    _rows: Rows = field(init=False)
    _step: int = -1

    def __post_init__(self) -> None:
        self._rows = Rows(_empty(2 * len(self.targets), self.settings))

    def observe(self, step: int, servers: tuple[str, ...], surprise: Floats) -> Verdict:
        """Who is abnormal after ``step``.

        Args:
            step: its number; later than the one before.
            servers: those that were heard of, each once.
            surprise: (server, target) standard normal where the forecast is right, positive = higher than expected,
                NaN = nothing was scored.
        """
        at = self._rows.of(servers)
        state = self._rows.arrays
        z = np.full((len(self._rows.names), len(self.targets)), np.nan)
        z[at] = np.clip(surprise, -self.settings.largest, self.settings.largest)
        harmful = np.concatenate([np.where(self.harm >= 0, z, np.nan), np.where(self.harm <= 0, -z, np.nan)], axis=1)
        seen = np.zeros(len(z), np.bool_)
        seen[at] = True
        strength = self._accumulate(harmful)
        amount = _combined(strength)
        rarity = usual.log10_rarity(amount, state["begin"], state["mean"])
        self._learn(amount, seen)
        return self._verdict(step, z, strength, rarity, seen)

    def _accumulate(self, harmful: Floats) -> Floats:
        """(server, column) the largest over the memories of the average surprise, in its own sigmas."""
        state, known = self._rows.arrays, ~np.isnan(harmful)
        best = np.zeros_like(harmful)
        for i, memory in enumerate(self.settings.memories):
            rate = 2 / (memory + 1)
            average = state["average"][:, i]
            average += np.where(known, rate * (np.nan_to_num(harmful) - average), 0)
            np.maximum(best, average / np.sqrt(rate / (2 - rate)), out=best)
        return best

    def _learn(self, amount: Floats, seen: Flags) -> None:
        state = self._rows.arrays
        state["count"] += seen
        rate = 1 / np.minimum(state["count"] + self.settings.prior_steps, self.settings.null_steps)
        state["begin"], state["mean"] = usual.learn(amount, state["begin"], state["mean"], rate, seen)

    def _verdict(self, step: int, z: Floats, strength: Floats, rarity: Floats, seen: Flags) -> Verdict:
        state, settings = self._rows.arrays, self.settings
        level = settings.false_alarms_per_server_day * self.step_seconds / DAY_SECONDS
        limit = -np.log10(discoveries.threshold(10.0**-rarity, level, settings.false_discovery_rate))
        abnormal = rarity >= np.where(state["abnormal"], settings.release * limit, limit)
        growing = rarity >= 0.5 * settings.release * limit
        onset = np.where(growing, np.where(state["onset"] < 0, step, state["onset"]), -1)
        state["abnormal"], state["onset"] = abnormal, onset
        sides = np.maximum(strength[:, : len(self.targets)], strength[:, len(self.targets) :])
        self._step = step
        return Verdict(
            self.fleet, step, self._rows.names, self.targets, rarity / (1 + rarity), abnormal, onset, sides,
            np.where(self.harm == 0, np.abs(z), z * self.harm), ~seen,
        )  # fmt: skip

    def snapshot(self) -> Snapshot:
        """Everything that is needed to go on, as arrays."""
        return {"step": np.array(self._step), "servers": np.array(self._rows.names, np.str_), **self._rows.arrays}

    def restore(self, snapshot: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Go on from a `snapshot` of evidence with the same targets and settings."""
        self._step = int(snapshot["step"])
        arrays = {name: snapshot[name].copy() for name in self._rows.empty}
        self._rows = Rows(self._rows.empty, tuple(snapshot["servers"].tolist()), arrays)
        return self


def _empty(columns: int, settings: EvidenceSettings) -> Mapping[str, npt.NDArray[Any]]:
    return {
        "average": np.zeros((len(settings.memories), columns)),
        "begin": np.array(4.0),
        "mean": np.array(1.5),
        "count": np.array(0, np.int64),
        "abnormal": np.array(False),
        "onset": np.array(-1, np.int64),
    }


def _combined(strength: Floats) -> Floats:
    """(server,) nats of evidence: of the strongest column, plus what the others add beyond chance."""
    nats = -log_ndtr(-strength) - np.log(2)
    strongest: Floats = nats.max(axis=1, initial=0)
    return strongest
