"""A fleet with its faults, tick by tick, and the truth about both."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_simulator.domain.faults import Fault, FaultKind, pressure
from argus_simulator.domain.fleet import Fleet
from argus_simulator.domain.scenarios import Level, Scenario, begin, everyday
from argus_simulator.domain.truth import Crossing, Truth, fault_truth
from argus_simulator.domain.world import METRICS, World

Doubles = npt.NDArray[np.float64]

_SENT_LIMITS = [(m.name, m.limit, METRICS.index(m.name)) for m in DEFAULT_CATALOGUE.received() if m.limit is not None]
_CPU_LIMIT = DEFAULT_CATALOGUE.get("cpu_used_pct").limit or 90.0
_IDLE = METRICS.index("cpu_idle_pct")
_MEMORY, _DISK = METRICS.index("mem_used_pct"), METRICS.index("disk_usage_pct")


@dataclass(frozen=True, slots=True)
class Tick:
    """``values``: (server, metric) at ``time_s``. ``truth``: what became true since the last tick."""

    time_s: float
    values: Doubles
    truth: list[Truth]


@dataclass(slots=True)
class Simulation:
    """Everything that happens is a function of the seed, the tick times and when scenarios were switched."""

    fleet: Fleet
    seed: int
    start_s: float
    scenario: Scenario = Scenario.HEALTHY
    _world: World = field(init=False)
    _faults: list[Fault] = field(default_factory=list, init=False)
    _numbers: int = field(default=0, init=False)
    _ticks: int = field(default=0, init=False)
    _now_s: float = field(init=False)
    _values: Doubles | None = field(default=None, init=False)
    _beyond: npt.NDArray[np.bool_] | None = field(default=None, init=False)
    _wanted: Scenario | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._world = World(self.fleet, self.seed, self.start_s)
        self._now_s = self.start_s

    def switch(self, scenario: Scenario) -> None:
        """Play ``scenario`` from the next tick on. Switching to healthy ends what is going on."""
        self._wanted = scenario

    def tick(self, now_s: float) -> Tick:
        """Move on to ``now_s``, later than the last tick."""
        before, dt_s = self._now_s, max(now_s - self._now_s, 1.0)
        self._ticks += 1
        rng = np.random.Generator(np.random.Philox(key=[self.seed, 4], counter=[0, 0, 0, self._ticks]))
        started = self._switched(now_s, rng) + everyday(self.fleet, now_s, dt_s, rng, self._numbers)
        self._numbers += len(started)
        self._faults = [fault for fault in self._faults if fault.end_s > before] + started
        values = self._world.advance(now_s, dt_s, pressure(self._faults, len(self.fleet), now_s, before))
        self._now_s, self._values = now_s, values
        truth: list[Truth] = [fault_truth(fault, self.fleet) for fault in started]
        return Tick(now_s, values, truth + list(self._crossings(values)))

    def _switched(self, now_s: float, rng: np.random.Generator) -> list[Fault]:
        if self._wanted is None or self._values is None:
            return []
        self.scenario, self._wanted = self._wanted, None
        if self.scenario is Scenario.HEALTHY:
            self._faults = [f for f in self._faults if f.kind in (FaultKind.DEPLOYMENT, FaultKind.BATCH_JOB)]
        level = Level(self._values[:, _MEMORY], self._values[:, _DISK])
        started = begin(self.scenario, self.fleet, level, now_s, rng, self._numbers)
        self._numbers += len(started)
        return started

    def _crossings(self, values: Doubles) -> Iterator[Crossing]:
        """Limits that were crossed or left since the last tick."""
        measured = [(name, limit, values[:, column]) for name, limit, column in _SENT_LIMITS]
        measured.append(("cpu_used_pct", _CPU_LIMIT, 100 - values[:, _IDLE]))
        beyond = np.column_stack([column >= limit for _, limit, column in measured])
        changed = beyond if self._beyond is None else beyond != self._beyond
        self._beyond = beyond
        for server, which in np.argwhere(changed).tolist():
            name, limit, column = measured[which]
            yield Crossing(
                self.fleet.names[server],
                name,
                limit or 0.0,
                float(column[server]),
                self._now_s,
                bool(beyond[server, which]),
            )
