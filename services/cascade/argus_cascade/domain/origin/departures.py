"""What is known of the servers concerned when their origin is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from argus_cascade.domain.tick import Floats


@dataclass(frozen=True, slots=True)
class Departures:
    """How far some servers departed from what was expected of them, over some steps.

    ``surprise``: (step, server, metric) z, positive in the harmful direction, NaN = missing.
    ``since``: the step from which departures count; the steps before it are context.
    ``amount``: (step, server, kind) departures in units that add up along calls (failed calls, seconds of waiting),
    the same for every server; no columns = nothing is known of them. NaN = missing.
    """

    servers: tuple[str, ...]
    surprise: Floats
    since: int
    amount: Floats

    @classmethod
    def of_members(cls, servers: Sequence[str], surprise: Floats, harm: Floats) -> Self:
        """From the newest steps of a cascade's members.

        Args:
            servers: the members.
            surprise: (step, server, metric) z, positive = higher than expected, NaN = missing; the last step is the
                newest.
            harm: (metric,) +1 high hurts, −1 low hurts, 0 both.
        """
        return cls(tuple(servers), harmful(surprise, harm), 0, np.empty((*surprise.shape[:2], 0)))

    def by_name(self) -> Self:
        """The same with the servers in rising order."""
        order = sorted(range(len(self.servers)), key=self.servers.__getitem__)
        servers = tuple(self.servers[i] for i in order)
        return type(self)(servers, self.surprise[:, order], self.since, self.amount[:, order])


def harmful(surprise: Floats, harm: Floats) -> Floats:
    """Surprises that are positive where they hurt; ``harm``: (metric,) +1 high hurts, −1 low hurts, 0 both."""
    result: Floats = np.where(harm == 0, np.abs(surprise), surprise * harm)
    return result
