"""A fleet with its faults, tick by tick, and the truth about both."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import numpy.typing as npt

from argus_simulator.domain.faults import Fault, FaultKind, pressure
from argus_simulator.domain.fleet import Doubles, Fleet
from argus_simulator.domain.limits import LimitWatch
from argus_simulator.domain.scenarios import Moment, Room, Scenario, begin, everyday, go_on, reboot
from argus_simulator.domain.truth import Truth, cancelled, fault_truth
from argus_simulator.domain.world import METRICS, OUT_OF_MEMORY, World

USUAL = frozenset({FaultKind.DEPLOYMENT, FaultKind.BATCH_JOB, FaultKind.REBOOT})
"""What also happens to a healthy fleet."""
RECOVERY_S = 2 * 3600.0
"""So long after a fault, memory and disk are as usual again, and new trouble may begin."""
_MEMORY = METRICS.index("mem_used_pct")


@dataclass(frozen=True, slots=True)
class Tick:
    """``values``: (server, metric) at ``time_s``. ``silent``: (server,) servers that are down and send nothing.
    ``truth``: what became true since the last tick.
    """

    time_s: float
    values: Doubles
    silent: npt.NDArray[np.bool_]
    truth: list[Truth]


@dataclass(slots=True)
class Simulation:
    """Everything that happens is a function of the seed, the tick times and when scenarios were switched."""

    fleet: Fleet
    seed: int
    start_s: float
    scenario: Scenario = field(default=Scenario.HEALTHY, init=False)
    _world: World = field(init=False)
    _limits: LimitWatch = field(init=False)
    _faults: list[Fault] = field(default_factory=list, init=False)
    _recovering: dict[int, float] = field(default_factory=dict, init=False)
    _numbers: Iterator[int] = field(default_factory=count, init=False)
    _ticks: int = field(default=0, init=False)
    _last: Tick | None = field(default=None, init=False)
    _wanted: Scenario | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._world = World(self.fleet, self.seed, self.start_s)
        self._limits = LimitWatch(self.fleet)

    def switch(self, scenario: Scenario) -> None:
        """Play ``scenario`` from the next tick on, but not before the second. Healthy ends what is going on."""
        self._wanted = scenario

    def strike(self, faults: Iterable[Fault]) -> None:
        """Let faults of the caller's own happen at their times, whatever the scenario."""
        self._faults += faults

    def tick(self, now_s: float) -> Tick:
        """Move on to ``now_s``, later than the last tick."""
        self._ticks += 1
        dt_s = max(now_s - (self._last.time_s if self._last else self.start_s), 1.0)
        rng = np.random.Generator(np.random.Philox(key=[self.seed, 4], counter=[0, 0, 0, self._ticks]))
        at = Moment(self.fleet, now_s, dt_s, rng, self._numbers)
        truth: list[Truth] = list(self._ended(now_s))
        started = everyday(at) + (self._troubles(self._last, at) if self._last else [])
        self._faults = [fault for fault in self._faults if fault.end_s > now_s] + started
        on = pressure(self._faults, len(self.fleet), now_s)
        values = self._world.advance(now_s, dt_s, on)
        truth += [fault_truth(fault, self.fleet) for fault in started]
        truth += self._limits.crossings(values, on.rebooting, now_s)
        self._last = Tick(now_s, values, on.rebooting, truth)
        return self._last

    def _ended(self, now_s: float) -> Iterator[Truth]:
        """What a switch to healthy ends."""
        if self._wanted is not Scenario.HEALTHY or self._last is None:
            return
        ending = [fault for fault in self._faults if fault.kind not in USUAL and fault.end_s > now_s]
        self._faults = [fault for fault in self._faults if fault.kind in USUAL]
        for fault in ending:
            yield cancelled(fault, self.fleet, now_s)

    def _troubles(self, last: Tick, at: Moment) -> list[Fault]:
        """Servers that ran out of memory restart; the scenario goes on, or begins."""
        exhausted = np.flatnonzero((last.values[:, _MEMORY] >= OUT_OF_MEMORY) & ~last.silent)
        started = [reboot(server, self._leak_of(server, at.now_s), at) for server in exhausted.tolist()]
        room = Room(
            self._limits.room(last.values, "mem_used_pct"),
            self._limits.room(last.values, "disk_usage_pct"),
            *self._free(at.now_s),
        )
        if self._wanted is None:
            return started + go_on(self.scenario, room, at)
        self.scenario, self._wanted = self._wanted, None
        return started + begin(self.scenario, room, at)

    def _leak_of(self, server: int, now_s: float) -> int | None:
        """Number of the leak that fills this server's memory."""
        leaks = (f for f in self._faults if f.kind is FaultKind.MEMORY_LEAK and f.server == server)
        return next((leak.number for leak in leaks if leak.begin_s <= now_s), None)

    def _free(self, now_s: float) -> tuple[npt.NDArray[np.int64], int]:
        """Servers that are well, and were for a while; and how many are not well now."""
        troubled = {fault.server for fault in self._faults if fault.kind not in USUAL and fault.end_s > now_s}
        self._recovering = {server: until for server, until in self._recovering.items() if until > now_s}
        self._recovering |= dict.fromkeys(troubled, now_s + RECOVERY_S)
        free = np.ones(len(self.fleet), np.bool_)
        free[list(self._recovering)] = False
        return np.flatnonzero(free), len(troubled)
