"""Server roles: how busy each is on an ordinary day, how many there are, and who depends on whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Means over an ordinary day. Percentages 0 … 100, traffic in MB/s."""

    name: str
    prefix: str
    digits: int
    share: float
    cpu_user: float
    cpu_sys: float
    iowait: float
    java: float
    """Share of user time spent in a JVM, 0 … 1."""
    memory: float
    swap: float
    disk: float
    net_in: float
    net_out: float
    back_close_wait: float
    front_close_wait: float
    load: float
    peak_hour: float
    swing: float
    """How far demand swings over the day, 0 … 1."""
    weekend: float
    """Demand on a weekend day relative to a weekday."""


PROFILES = (
    Profile("web_api", "ppweb", 3, 0.28, 18, 5, 3, 0.9, 45, 2, 35, 85, 120, 15, 12, 2.8, 14.0, 0.55, 0.6),
    Profile("ml_compute", "ppml", 4, 0.22, 45, 8, 2, 0.9, 72, 5, 55, 8.5, 5.2, 2, 2, 6.5, 1.0, 0.25, 0.95),
    Profile("database", "ppdb", 3, 0.17, 25, 12, 15, 0.4, 68, 3, 70, 35, 28, 8, 6, 4.2, 15.0, 0.40, 0.7),
    Profile("data_ingest", "ppetl", 3, 0.11, 35, 10, 8, 0.9, 62, 4, 65, 150, 95, 10, 8, 5.5, 12.0, 0.35, 0.8),
    Profile("risk_analytics", "pprisk", 3, 0.09, 55, 8, 2, 0.95, 70, 5, 50, 12, 8, 3, 2, 8.2, 17.5, 0.40, 0.5),
    Profile("generic", "ppgen", 3, 0.07, 12, 4, 1, 0.6, 35, 1, 30, 15, 12, 2, 2, 1.5, 13.0, 0.30, 0.8),
    Profile("conductor_mgmt", "ppcon", 2, 0.06, 15, 6, 2, 0.9, 42, 2, 40, 22, 18, 5, 4, 3.2, 13.0, 0.30, 0.9),
)
"""Means, shares and names of the reference fleet."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """``downstream`` suffers when its ``upstream`` fails. ``starves``: it runs dry rather than piling up."""

    downstream: str
    upstream: str
    strength: float
    starves: bool


DEPENDENCIES = (
    Dependency("web_api", "database", 0.85, starves=False),
    Dependency("data_ingest", "database", 0.75, starves=False),
    Dependency("conductor_mgmt", "database", 0.70, starves=False),
    Dependency("risk_analytics", "database", 0.80, starves=True),
    Dependency("ml_compute", "conductor_mgmt", 0.90, starves=True),
    Dependency("ml_compute", "data_ingest", 0.60, starves=True),
)
