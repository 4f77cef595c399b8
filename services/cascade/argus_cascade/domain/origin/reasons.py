"""Why a server is a candidate."""

import numpy as np

from argus_cascade.domain.origin.candidate import Reason
from argus_cascade.domain.origin.signs import Signs
from argus_cascade.domain.tick import Flags, Floats

LIKELY = 0.5
"""Chance from which something is said of a server."""
LEADS = 0.1
"""Difference of correlations from which one course is said to lead the others."""


def reasons(
    signs: Signs, first: Floats, ahead: Floats, reached: Flags | None, depends: Flags, *, symptom: bool
) -> list[tuple[Reason, ...]]:
    """Of each server, most telling first. What has not departed has none.

    ``first``, ``ahead``: (server,) see `none_before`, `lead`. ``reached``: (server, server) see `reach`; None = no
    topology.
    ``depends``: (server,) the topology says whom it depends on. ``symptom``: one was given.
    """
    departed = signs.departed > LIKELY
    others = departed[None, :] & ~np.eye(len(departed), dtype=np.bool_)
    together: Flags = np.any(others, axis=1)
    held: dict[Reason, Flags] = {Reason.EARLIEST: together & (first > LIKELY)}
    if reached is not None:
        held[Reason.UPSTREAM] = together & (2 * (reached & others).sum(axis=1) > others.sum(axis=1))
        held[Reason.UNEXPLAINED] = ~np.any(reached.T & others, axis=1) & depends
    held[Reason.MATCHES_SYMPTOM] = (signs.match > LIKELY) & symptom
    held[Reason.LEADS] = together & (ahead > LEADS)
    held[Reason.LARGEST] = signs.strength == signs.strength.max(initial=0.0)
    return [tuple(reason for reason, rows in held.items() if rows[i] and departed[i]) for i in range(len(departed))]
