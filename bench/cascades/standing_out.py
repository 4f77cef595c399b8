"""How soon the members of a failure stand out by themselves: no grouping can be faster than that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from argus_cascade.domain.grouping.episodes import LEVELS
from argus_cascade.domain.verdict import Verdict
from argus_cli.cascades.truth import Incident

SCORE = float(LEVELS[0] / (1 + LEVELS[0]))
"""A server stands out from this score on."""


@dataclass(frozen=True, slots=True)
class StandingOut:
    """``first``: of each incident, server → the first step in which it stood out while the incident went on."""

    incidents: Sequence[Incident]
    first: list[dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", [{} for _ in self.incidents])

    def watching(self, said: Iterator[Verdict]) -> Iterator[Verdict]:
        """The verdicts, looked at as they pass."""
        for verdict in said:
            out = [verdict.servers[row] for row in np.flatnonzero(verdict.score >= SCORE).tolist()]
            for one, first in zip(self.incidents, self.first, strict=True):
                if one.begin <= verdict.step <= one.end:
                    for server in out:
                        if one.begins.get(server, one.end) <= verdict.step:
                            first.setdefault(server, verdict.step)
            yield verdict

    def delays(self, members: int) -> list[float]:
        """Steps from the second member's trouble until so many stood out, of each incident; inf = they never did."""
        found = [sorted(first.values()) for first in self.first]
        return [
            steps[members - 1] - (one.begin if one.second is None else one.second) if len(steps) >= members else inf
            for one, steps in zip(self.incidents, found, strict=True)
        ]
