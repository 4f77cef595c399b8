"""Events of alerts, made by hand."""

from argus_common.events import BreachEnded, BreachExpected, BreachUpdated, TimeToThreshold, alert_id
from argus_common.levels import Level

TARGET = "cpu_used_pct"


def _common(since: int, origin: int, sequence: int, server: str, fleet: str) -> dict[str, object]:
    return {
        "alert": alert_id(fleet, server, TARGET, 1, 300, since),
        "sequence": sequence,
        "fleet": fleet,
        "server": server,
        "target": TARGET,
        "limit": 90.0,
        "step_seconds": 300,
        "origin": origin,
        "since": since,
    }


def _standing(crossed: int | None, p50: float | None) -> dict[str, object]:
    return {
        "phase": "expected" if crossed is None else "breached",
        "within": "1h",
        "probability": {"15m": 0.1, "1h": 0.4, "4h": 0.6, "8h": 0.7},
        "time_to_threshold": TimeToThreshold(p10=900, p50=p50, p90=None),
        "crossed": crossed,
        "risk": 55.0 if crossed is None else 85.0,
        "level": Level.DEGRADED if crossed is None else Level.CRITICAL,
    }


def raised(
    since: int, server: str = "web1", fleet: str = "default", crossed: int | None = None, p50: float | None = 7200
) -> BreachExpected:
    """An alert is raised at this origin."""
    return BreachExpected.model_validate(_common(since, since, 0, server, fleet) | _standing(crossed, p50))


def updated(
    since: int, origin: int, server: str = "web1", fleet: str = "default", crossed: int | None = None
) -> BreachUpdated:
    """What stands is told again."""
    return BreachUpdated.model_validate(_common(since, origin, 1, server, fleet) | _standing(crossed, 7200))


def ended(
    since: int, origin: int, outcome: str, server: str = "web1", fleet: str = "default", crossed: int | None = None
) -> BreachEnded:
    """It ends."""
    lead = (crossed - since) * 300 if outcome == "hit" and crossed is not None else None
    body = {"outcome": outcome, "crossed": crossed, "lead_time_seconds": lead, "peak_probability": 0.6}
    return BreachEnded.model_validate(_common(since, origin, 2, server, fleet) | body)
