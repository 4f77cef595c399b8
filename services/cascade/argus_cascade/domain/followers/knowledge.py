"""All that is known of dependencies: what was told, what was learned from past cascades, and how trouble travels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from argus_cascade.domain.followers.learned import dependencies
from argus_cascade.domain.followers.past import Past
from argus_cascade.domain.followers.reaching import Reaching
from argus_cascade.domain.followers.travel import Travel, learned
from argus_cascade.domain.topology import Topology

HALF_LIFE_DAYS = 60
"""A past cascade says half as much as one that is so much newer."""
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Known:
    """``topology``: what was told and what was ``learned`` from ``pasts``. ``travel``: how trouble travels along it."""

    topology: Topology
    told: Topology
    learned: Topology
    travel: Travel
    pasts: Sequence[Past]


def known(pasts: Sequence[Past], told: Topology, roles: Mapping[str, str], step_seconds: int, *, learn: bool) -> Known:
    """What is known of a fleet of servers of these ``roles``; with ``learn``, dependencies are learned as well."""
    half_life = HALF_LIFE_DAYS * DAY_SECONDS / step_seconds
    found = Topology({})
    if learn and pasts:
        anybody = learned(pasts, Reaching(Topology({}), roles, anybody=True), half_life)
        found = dependencies(anybody, pasts)
    topology = told.beside(found).with_roles(roles)
    travel = learned(pasts if topology else (), Reaching(topology, roles), half_life)
    return Known(topology, told, found, travel, pasts)


@dataclass(slots=True)
class Knowledge:
    """What is known, worked out again only when a cascade is over or another server is met."""

    told: Topology
    learn: bool
    _last: Known | None = None
    _pasts: Sequence[Past] = ()
    _roles: Mapping[str, str] = field(default_factory=dict)

    def now(self, pasts: Sequence[Past], roles: Mapping[str, str], step_seconds: int) -> Known:
        """It depends on nothing else than what it is given."""
        if self._last is None or self._pasts is not pasts or self._roles != roles:
            self._pasts, self._roles = pasts, dict(roles)
            self._last = known(pasts, self.told, self._roles, step_seconds, learn=self.learn)
        return self._last
