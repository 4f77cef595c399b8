"""How quiet the fleets are: the share of servers at risk, from their newest forecasts."""

from dataclasses import dataclass, field

RISKY = 60.0
"""A warning or worse."""
RECENT_MS = 3_600_000
"""A server whose newest forecast is older than the fleet's newest by more has stopped reporting."""


@dataclass(slots=True)
class FleetRisk:
    """Folds forecasts in, in any order."""

    _servers: dict[str, dict[str, tuple[int, float]]] = field(default_factory=dict)

    def add(self, fleet: str, server: str, origin_ms: int, risk: float) -> None:
        """The forecast of a server from an origin."""
        servers = self._servers.setdefault(fleet, {})
        if server not in servers or servers[server][0] <= origin_ms:
            servers[server] = origin_ms, risk

    def at_risk(self) -> float | None:
        """Share of servers at risk in the fleet that is worst; None = no forecast was seen."""
        return max((_share(servers) for servers in self._servers.values()), default=None)


def _share(servers: dict[str, tuple[int, float]]) -> float:
    newest = max(origin for origin, _ in servers.values())
    risks = [risk for origin, risk in servers.values() if newest - origin <= RECENT_MS]
    return sum(risk >= RISKY for risk in risks) / len(risks)
