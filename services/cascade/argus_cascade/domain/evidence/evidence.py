"""Evidence against each server of a fleet, gathered step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from argus_cascade.domain import tails
from argus_cascade.domain.evidence import discoveries, null, presence
from argus_cascade.domain.evidence.gather import excess, gathered, settled
from argus_cascade.domain.evidence.rows import Rows
from argus_cascade.domain.evidence.settings import EvidenceSettings
from argus_cascade.domain.tick import Flags, Floats
from argus_cascade.domain.verdict import Verdict

Snapshot = dict[str, npt.NDArray[Any]]


@dataclass(slots=True)
class Evidence:
    """Of one fleet. Feed each step once, in order; servers come and go, in any order.

    >>> evidence = Evidence("default", ("cpu_used_pct",), np.array([1.0]))
    >>> rng = np.random.default_rng(1)
    >>> calm = [evidence.observe(step, ("a", "b"), rng.normal(size=(2, 1))) for step in range(500)]
    >>> evidence.observe(500, ("a", "b"), np.array([[9.0], [0.0]])).abnormal.tolist()
    [True, False]
    """

    fleet: str
    targets: tuple[str, ...]
    harm: Floats
    """(target,) +1 high hurts, −1 low hurts, 0 both."""
    settings: EvidenceSettings = field(default_factory=EvidenceSettings)
    _rows: Rows = field(init=False)
    _common: Floats = field(init=False)
    _clock: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self._rows = Rows(_empty(len(self.targets)))
        self._common = np.zeros(len(self.targets))
        self._clock = np.array([0, 1], np.int64)

    def observe(self, step: int, servers: tuple[str, ...], surprise: Floats) -> Verdict:
        """Who is abnormal after ``step``.

        Args:
            step: its number; later than the one before.
            servers: those that were heard of, each once.
            surprise: (server, target) standard normal where the forecast is right, positive = higher than expected,
                NaN = nothing was scored.
        """
        at = self._rows.of(servers)
        z = np.full((len(self._rows.names), len(self.targets)), np.nan)
        z[at] = surprise
        seen = np.zeros(len(z), np.bool_)
        seen[at] = True
        z = np.where(self.harm < 0, -z, z)
        amounts, strength = self._gather(z)
        usual = null.blended(self._rows.arrays["usual"], self._rows.arrays["heard"])
        rarity = null.log10_rarity(amounts, usual).max(axis=1, initial=0)
        absence = presence.log10_rarity(self._rows.arrays, seen)
        self._learn(amounts, usual, seen)
        verdict = self._verdict(step, z, strength, np.maximum(rarity, absence), absence)
        self._forget()
        return verdict

    def _gather(self, z: Floats) -> tuple[Floats, Floats]:
        """(server, channel) evidence in nats; (server, target) in sigmas."""
        state, settings, both = self._rows.arrays, self.settings, self.harm == 0
        own, self._common = null.without_common(z, self._common)
        state["recent"] = gathered(state["recent"], excess(own, both), settings.recent_steps)
        state["slow"] = gathered(state["slow"], own, settings.slow_steps)
        slow, state["spread"] = settled(state["slow"], state["spread"], ~np.isnan(own), settings)
        lasting = excess(slow, both)
        amounts = np.stack([state["recent"].sum(axis=1), lasting.sum(axis=1)], axis=1)
        return amounts, np.sqrt(2 * np.maximum(state["recent"], lasting))

    def _learn(self, amounts: Floats, usual: Floats, seen: Flags) -> None:
        """Count the amounts; what is usual is worked out anew now and then, since it moves slowly."""
        state = self._rows.arrays
        state["run"] = np.where(seen[:, None], tails.longer(state["run"], amounts > usual / 2), state["run"])
        histogram = state["histogram"].reshape(-1, tails.BINS)
        sizes = np.where(seen[:, None], amounts, np.nan).ravel()
        tails.count(histogram, sizes, tails.lesson(state["run"]).ravel())
        self._clock[0] += 1
        if self._clock[0] >= self._clock[1]:
            between = null.steps_between(int(self._clock[0]))
            histogram *= 1 - min(between / self.settings.null_steps, 1)
            state["usual"] = tails.usual(histogram).reshape(amounts.shape)
            self._clock[1] = self._clock[0] + between

    def _verdict(self, step: int, z: Floats, strength: Floats, rarity: Floats, absence: Floats) -> Verdict:
        state, settings = self._rows.arrays, self.settings
        level = settings.level_after(int(self._clock[0]))
        highest = discoveries.threshold(10.0**-rarity, level, settings.false_discovery_rate)
        limit = -np.log10(highest)
        state["abnormal"] = rarity >= np.where(state["abnormal"], settings.release * limit, limit)
        growing = rarity >= settings.release * limit
        state["onset"] = np.where(growing, np.where(state["onset"] < 0, step, state["onset"]), -1)
        return Verdict(
            self.fleet, step, self._rows.names, self.targets, rarity / (1 + rarity), state["abnormal"], state["onset"],
            strength, np.where(self.harm == 0, np.abs(z), z), absence >= limit,
        )  # fmt: skip

    def _forget(self) -> None:
        gone = self._rows.arrays["missed"] >= self.settings.forget_steps
        if gone.any():
            self._rows.keep(~gone)

    def snapshot(self) -> Snapshot:
        """Everything that is needed to go on, as arrays."""
        arrays = {"servers": np.array(self._rows.names, np.str_), "common": self._common, "clock": self._clock}
        return {name: array.copy() for name, array in (arrays | self._rows.arrays).items()}

    def restore(self, snapshot: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Go on from a `snapshot` of evidence with the same targets."""
        self._common, self._clock = snapshot["common"].copy(), snapshot["clock"].copy()
        arrays = {name: snapshot[name].copy() for name in self._rows.empty}
        self._rows = Rows(self._rows.empty, tuple(snapshot["servers"].tolist()), arrays)
        return self


def _empty(targets: int) -> Mapping[str, npt.NDArray[Any]]:
    """The row of a server just met."""
    return {
        "recent": np.zeros(targets),
        "slow": np.zeros(targets),
        "spread": np.ones(targets),
        "histogram": np.zeros((2, tails.BINS)),
        "run": np.zeros(2),
        "usual": np.full(2, np.inf),
        "abnormal": np.array(False),
        "onset": np.array(-1, np.int64),
        "heard": np.array(0, np.int64),
        "missed": np.array(0, np.int64),
        "absent": np.array(0, np.int64),
    }
