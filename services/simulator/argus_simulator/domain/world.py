"""The fleet's state and how it moves: demand drives CPU, queues drive I/O wait and load, memory and disk
have inertia.

Units: seconds, percentages 0 … 100. CPU shares are whole hundredths that sum to exactly 100.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from argus_simulator.domain.faults import Pressure
from argus_simulator.domain.fleet import Doubles, Fleet

METRICS = (
    "cpu_user_pct", "cpu_sys_pct", "cpu_iowait_pct", "cpu_idle_pct", "java_cpu_pct", "mem_used_pct",
    "swap_used_pct", "disk_usage_pct", "net_in_mb_s", "net_out_mb_s", "back_close_wait", "front_close_wait",
    "load_average", "uptime_days",
)  # fmt: skip
"""Columns of what `World.advance` returns, in the catalogue's order."""

HOUR, DAY = 3600.0, 86_400.0
NOISE_MINUTES = 25.0
"""How long a random rise of demand lasts."""
NOISE = 0.14
MEMORY_HOURS, SWAP_HOURS = 1.5, 0.4
"""Time constants of memory and swap."""
SCARCE_MEMORY = 86.0
DISK_GROWTH_PER_DAY = 0.35
CLEANED_ABOVE = 78.0
OUT_OF_MEMORY = 99.6
FULL = 85.0
"""Where the CPU of a server without trouble levels off."""


@dataclass(slots=True)
class State:
    """(server,) each."""

    noise: Doubles
    memory: Doubles
    leaked: Doubles
    swap: Doubles
    disk: Doubles
    boot_s: Doubles


class World:
    """Moves a fleet through event time. The noise of a tick depends on the seed and the tick's number alone."""

    def __init__(self, fleet: Fleet, seed: int, start_s: float) -> None:
        self.fleet, self._seed, self._tick = fleet, seed, 0
        rng, size = self._rng(2), len(fleet)
        self._base = {name: fleet.per_profile(name) for name in _PROFILE_FIELDS}
        self.state = State(
            rng.normal(0, 1, size),
            np.clip(self._base["memory"] + rng.normal(0, 6, size), 5, 90),
            np.zeros(size),
            self._base["swap"].copy(),
            np.clip(self._base["disk"] + rng.normal(0, 6, size), 5, CLEANED_ABOVE),
            start_s - rng.uniform(1, 60, size) * DAY,
        )

    def advance(self, now_s: float, dt_s: float, on: Pressure) -> npt.NDArray[np.float64]:
        """(server, metric) values at ``now_s``, ``dt_s`` after the last call."""
        self._tick += 1
        rng, base = self._rng(3), self._base
        self._restart([*on.reboots, *np.flatnonzero(self.state.memory >= OUT_OF_MEMORY).tolist()], now_s)
        demand = self._demand(now_s, dt_s, rng) * (1 + on.extra_demand)
        demand *= 1 - 0.7 * on.starving
        cpu = self._cpu(demand, on, rng)
        self._store(demand, dt_s, now_s, on)
        waiting = cpu[:, 2] / 100 + on.piling_up + on.failing
        traffic = demand * (1 - 0.5 * np.maximum(on.piling_up, on.failing)) * rng.lognormal(0, 0.05, len(demand))
        suffering = np.maximum(on.piling_up, on.failing)
        back = base["back_close_wait"] * demand * (1 + 3 * suffering) + 20 * suffering
        front = base["front_close_wait"] * demand * (1 + 2 * suffering) + 12 * suffering
        load = base["load"] * demand * (0.85 + 0.15 * rng.lognormal(0, 0.1, len(demand))) * (1 + 2.5 * waiting)
        return np.column_stack(
            [
                cpu,
                np.floor(cpu[:, 0] * base["java"] * 100) / 100,
                np.round(np.clip(self.state.memory, 0, 100), 2),
                np.round(np.clip(self.state.swap, 0, 100), 2),
                np.round(np.clip(self.state.disk, 0, 100), 2),
                np.round(base["net_in"] * traffic, 2),
                np.round(base["net_out"] * traffic, 2),
                rng.poisson(np.maximum(back, 0)),
                rng.poisson(np.maximum(front, 0)),
                np.round(load, 2),
                np.round((now_s - self.state.boot_s) / DAY, 4),
            ]
        )

    def _demand(self, now_s: float, dt_s: float, rng: np.random.Generator) -> Doubles:
        """Demand relative to an ordinary day's mean: rhythm of day and week times a slow random rise and fall."""
        fleet, state = self.fleet, self.state
        keep = np.exp(-dt_s / (NOISE_MINUTES * 60))
        state.noise = keep * state.noise + np.sqrt(1 - keep**2) * rng.normal(0, 1, len(fleet))
        hours = (now_s % DAY) / HOUR - self._base["peak_hour"] - fleet.phase_hours
        daily = 1 + self._base["swing"] * np.cos(2 * np.pi * hours / 24)
        weekly = np.where(datetime.fromtimestamp(now_s, UTC).weekday() >= 5, self._base["weekend"], 1.0)
        return np.asarray(fleet.scale * daily * weekly * np.exp(NOISE * state.noise))

    def _cpu(self, demand: Doubles, on: Pressure, rng: np.random.Generator) -> Doubles:
        """(server, [user, sys, iowait, idle]) in whole hundredths that sum to 100."""
        base, size = self._base, len(demand)
        jitter = rng.lognormal(0, 0.06, (3, size))
        wanted = [base["cpu_user"] * demand, base["cpu_sys"] * np.sqrt(demand), base["iowait"] * demand**1.2]
        usual = _saturating(np.column_stack(wanted) * jitter.T)
        paging = np.maximum(self.state.swap - 10, 0) * 0.5
        trouble = [
            on.stolen_cpu + 15 * on.piling_up,
            0.1 * on.stolen_cpu + 6 * on.piling_up,
            45 * on.failing + 8 * on.piling_up + paging,
        ]
        busy = np.maximum(usual + np.column_stack(trouble), 0)
        full = busy.sum(axis=1, keepdims=True)
        busy *= np.where(full > 99.5, 99.5 / np.maximum(full, 1e-9), 1)
        hundredths = np.floor(busy * 100)
        return np.column_stack([hundredths, 10_000 - hundredths.sum(axis=1)]) / 100

    def _store(self, demand: Doubles, dt_s: float, now_s: float, on: Pressure) -> None:
        """Memory, swap and disk follow with inertia."""
        state, base, hours = self.state, self._base, dt_s / HOUR
        state.leaked = np.where(on.leak_per_hour > 0, state.leaked + on.leak_per_hour * hours, state.leaked)
        wanted = base["memory"] * (0.88 + 0.12 * np.minimum(demand, 2.5)) * (1 + 0.08 * on.piling_up)
        share = 1 - np.exp(-hours / MEMORY_HOURS)
        resting = np.minimum(state.memory - state.leaked, 100)
        resting += share * (wanted - resting)
        state.leaked = np.minimum(state.leaked, np.maximum(100 - resting, 0))
        state.memory = np.minimum(resting + state.leaked, 100)
        paged = base["swap"] + np.maximum(state.memory - SCARCE_MEMORY, 0) * 4
        state.swap += (1 - np.exp(-hours / SWAP_HOURS)) * (paged - state.swap)
        state.disk += DISK_GROWTH_PER_DAY * hours / 24 * np.minimum(demand, 2) + on.fill_per_hour * hours
        night = now_s % DAY < max(dt_s, HOUR)
        rotated = (state.disk > CLEANED_ABOVE) & (on.fill_per_hour == 0) & night
        state.disk = np.where(rotated, np.maximum(base["disk"] * 0.95, 5), np.minimum(state.disk, 100))

    def _restart(self, servers: list[int], now_s: float) -> None:
        state = self.state
        for server in servers:
            state.boot_s[server], state.leaked[server] = now_s, 0.0
            state.memory[server] = 0.6 * self._base["memory"][server]
            state.swap[server] = 0.0

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._seed, purpose], counter=[0, 0, 0, self._tick]))


def _saturating(busy: Doubles) -> Doubles:
    """(server, share) CPU shares that level off before the machine is full: schedulers and queues see to that."""
    total = busy.sum(axis=1, keepdims=True)
    return np.asarray(busy / (1 + (total / FULL) ** 4) ** 0.25)


_PROFILE_FIELDS = (
    "cpu_user", "cpu_sys", "iowait", "java", "memory", "swap", "disk", "net_in", "net_out", "back_close_wait",
    "front_close_wait", "load", "peak_hour", "swing", "weekend",
)  # fmt: skip
