"""A fleet of independent servers as its evidence sees it, with trouble where a test wants it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.evidence import Evidence
from argus_cascade.domain.verdict import Verdict

STEP_SECONDS = 300
TARGETS = ("cpu_used_pct", "cpu_iowait_pct")
LASTS = 24
"""Steps that trouble lasts unless said otherwise."""


@dataclass(frozen=True)
class Fleet:
    """``trouble``: server number → the step in which its surprises rise to ``size`` sigmas, for ``lasts`` steps."""

    servers: int = 30
    seed: int = 1
    trouble: Mapping[int, int] = field(default_factory=dict)
    size: float = 7.0
    lasts: int = LASTS

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"s{number:04d}" for number in range(self.servers))

    def surprises(self, steps: int) -> np.ndarray:
        """(step, server, target) standard normal, but for the trouble."""
        z = np.random.default_rng(self.seed).normal(size=(steps, self.servers, len(TARGETS)))
        for server, begin in self.trouble.items():
            z[begin : begin + self.lasts, server, 0] += self.size
        return z

    def verdicts(self, steps: int, order: np.ndarray | None = None) -> Iterator[Verdict]:
        """One per step, the servers told in ``order``."""
        evidence = Evidence("f", TARGETS, np.ones(len(TARGETS)))
        order = np.arange(self.servers) if order is None else order
        names = tuple(np.array(self.names)[order].tolist())
        for step, z in enumerate(self.surprises(steps)):
            yield evidence.observe(step, names, z[order])


def verdict(step: int, rarity: Mapping[str, float], silent: frozenset[str] = frozenset()) -> Verdict:
    """Of servers with that −log10 of chance; abnormal from 4 on, and with an onset in this step."""
    amount = np.array(list(rarity.values()), np.float64)
    strength = np.zeros((len(rarity), len(TARGETS)))
    strength[:, 0] = amount
    return Verdict(
        "f", step, tuple(rarity), TARGETS, amount / (1 + amount), amount >= 4, np.where(amount >= 4, step, -1),
        strength, strength, np.array([name in silent for name in rarity], np.bool_),
    )  # fmt: skip
