"""The fleet's state and how it moves: demand drives CPU, queues drive I/O wait and load, memory and disk
have inertia.

Units: seconds, percentages 0 … 100. CPU shares are whole hundredths that sum to exactly 100.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_simulator.domain.faults import Pressure
from argus_simulator.domain.fleet import Doubles, Fleet
from argus_simulator.domain.profiles import PROFILES

METRICS = (
    "cpu_user_pct", "cpu_sys_pct", "cpu_iowait_pct", "cpu_idle_pct", "java_cpu_pct", "mem_used_pct",
    "swap_used_pct", "disk_usage_pct", "net_in_mb_s", "net_out_mb_s", "back_close_wait", "front_close_wait",
    "load_average", "uptime_days",
)  # fmt: skip
"""Columns of what `World.advance` returns, in the catalogue's order."""

HOUR, DAY = 3600.0, 86_400.0
WEEK_HOURS, HOURS_FROM_MONDAY = 168, 72
"""The epoch began on a Thursday."""
NOISE_MINUTES = 25.0
"""How long a random rise of demand lasts."""
NOISE = 0.14
CHURN_MINUTES = 6.0
"""How long a random rise of what does not follow demand lasts: garbage collection, other tenants."""
GARBAGE = 0.5
"""Standard deviation of a JVM server's memory around its usual course, percentage points."""
FLICKER = 0.15
"""Of what stolen CPU and failures take away, relative."""
BURSTS = 0.15
"""How much faster a leak or a fill goes in a random rise of demand, relative."""
MEMORY_HOURS, SWAP_HOURS = 1.5, 0.4
"""Time constants of memory and swap."""
SCARCE_MEMORY = 88.0
"""Above this the server begins to swap."""
CLEAN_UP_HOURS = 0.5
"""How long it takes to clear a disk after a fill was stopped."""
SHARED_NOISE = 0.3
"""Share of the variance of demand that the servers of a profile have in common: they serve the same users."""
DISK_GROWTH_PER_DAY = 0.35
LOGS_PER_DAY = 1.2
"""Percentage points of disk that a day's logs take until they are compressed at night."""
ROTATION_HOURS = 0.2
"""How long compressing the logs takes."""
CLEANED_ABOVE = 78.0
NEARLY_FULL = 97.0
"""From here to 100 % of disk, writes begin to fail."""
SECOND_WAVE, HIGHEST = 0.25, 1.1009
"""The day is no pure wave: a steep morning, a long evening. Share of the half-day wave, and the peak of both."""
WEEKEND = ((0, 4, 116, 124, 164, 168), (0.5, 0.0, 0.0, 1.0, 1.0, 0.5))
"""Hours of the week from Monday's midnight, and how much weekend it is then."""
OUT_OF_MEMORY = 99.6
"""Here the server restarts."""
FULL = 85.0
"""Where the CPU of a server without trouble levels off."""


@dataclass(slots=True)
class State:
    """(server,) each, but ``shared``: (profile,). What leaked, logs and what filled the disk are kept apart."""

    noise: Doubles
    shared: Doubles
    churn: Doubles
    memory: Doubles
    leaked: Doubles
    swap: Doubles
    disk: Doubles
    logs: Doubles
    filled: Doubles
    boot_s: Doubles
    down: npt.NDArray[np.bool_]


class World:
    """Moves a fleet through event time. The noise of a tick depends on the seed and the tick's number alone."""

    def __init__(self, fleet: Fleet, seed: int, start_s: float) -> None:
        self.fleet, self._seed, self._tick = fleet, seed, 0
        rng, size = self._rng(2), len(fleet)
        self._base = {name: fleet.per_profile(name) for name in _PROFILE_FIELDS}
        self.state = State(
            rng.normal(0, 1, size),
            rng.normal(0, 1, len(PROFILES)),
            rng.normal(0, 1, size),
            self._base["memory"] * fleet.appetite,
            np.zeros(size),
            self._base["swap"] * fleet.appetite,
            fleet.disk + rng.uniform(0, 4, size),
            np.zeros(size),
            np.zeros(size),
            start_s - rng.uniform(1, 60, size) * DAY,
            np.zeros(size, np.bool_),
        )

    def advance(self, now_s: float, dt_s: float, on: Pressure) -> npt.NDArray[np.float64]:
        """(server, metric) values at ``now_s``, ``dt_s`` after the last call."""
        self._tick += 1
        rng, base = self._rng(3), self._base
        self._restart(on.rebooting, now_s)
        demand = self._demand(now_s, dt_s, rng) * (1 + on.extra_demand)
        full = np.clip((self._disk_used() - NEARLY_FULL) / (100 - NEARLY_FULL), 0, 1)
        demand *= (1 - 0.7 * on.starving) * (1 - 0.4 * full)
        cpu, queued = self._cpu(demand, full, on, rng)
        self._remember(demand, dt_s, on)
        self._fill(demand, dt_s, now_s, on)
        usual_wait = 1 + 2.5 * base["iowait"] / 100
        waiting = cpu[:, 2] / 100 + on.piling_up + on.failing + queued
        traffic = demand * (1 - 0.5 * np.maximum(on.piling_up, on.failing)) * rng.lognormal(0, 0.05, len(demand))
        suffering = np.maximum(on.piling_up, on.failing)
        back = base["back_close_wait"] * demand * (1 + 3 * suffering) + 20 * suffering
        front = base["front_close_wait"] * demand * (1 + 2 * suffering) + 12 * suffering
        load = (
            base["load"]
            * demand
            * (0.85 + 0.15 * rng.lognormal(0, 0.1, len(demand)))
            * (1 + 2.5 * waiting)
            / usual_wait
        )
        return np.column_stack(
            [
                cpu,
                np.floor(cpu[:, 0] * base["java"] * 100) / 100,
                np.round(np.clip(self.state.memory + self.state.leaked + self._garbage(), 0, 100), 2),
                np.round(np.clip(self.state.swap, 0, 100), 2),
                np.round(np.clip(self._disk_used(), 0, 100), 2),
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
        state.noise = _wandered(state.noise, dt_s, NOISE_MINUTES, rng)
        state.shared = _wandered(state.shared, dt_s, NOISE_MINUTES, rng)
        state.churn = _wandered(state.churn, dt_s, CHURN_MINUTES, rng)
        noise = np.sqrt(1 - SHARED_NOISE) * state.noise + np.sqrt(SHARED_NOISE) * state.shared[fleet.profile]
        hours = (now_s % DAY) / HOUR - self._base["peak_hour"] - fleet.phase_hours
        angle = 2 * np.pi * hours / 24
        daily = 1 + self._base["swing"] * (np.cos(angle) - SECOND_WAVE * np.sin(2 * angle)) / HIGHEST
        weekend = np.interp((now_s / HOUR + HOURS_FROM_MONDAY) % WEEK_HOURS, *WEEKEND)
        weekly = 1 + weekend * (self._base["weekend"] - 1)
        return np.asarray(fleet.scale * daily * weekly * np.exp(NOISE * noise))

    def _cpu(self, demand: Doubles, full: Doubles, on: Pressure, rng: np.random.Generator) -> tuple[Doubles, Doubles]:
        """(server, [user, sys, iowait, idle]) in whole hundredths that sum to 100; (server,) work that must queue, in
        machines.
        """
        base, size = self._base, len(demand)
        jitter = rng.lognormal(0, 0.06, (3, size))
        wanted = [base["cpu_user"] * demand, base["cpu_sys"] * np.sqrt(demand), base["iowait"] * demand**1.2]
        usual = _saturating(np.column_stack(wanted) * jitter.T)
        paging = np.maximum(self.state.swap - 10, 0) * 0.5
        trouble = [
            on.stolen_cpu + 15 * on.piling_up,
            0.1 * on.stolen_cpu + 6 * on.piling_up,
            45 * on.failing + 8 * on.piling_up + paging + 10 * full,
        ]
        flicker = np.exp(FLICKER * self.state.churn)
        busy = np.maximum(usual + np.column_stack(trouble) * flicker[:, None], 0)
        total = busy.sum(axis=1, keepdims=True)
        busy *= np.where(total > 99.5, 99.5 / np.maximum(total, 1e-9), 1)
        hundredths = np.floor(busy * 100)
        shares = np.column_stack([hundredths, 10_000 - hundredths.sum(axis=1)]) / 100
        return shares, np.maximum(total[:, 0] - FULL, 0) / 100

    def _remember(self, demand: Doubles, dt_s: float, on: Pressure) -> None:
        """Memory follows demand with inertia; what leaked is free again when the leak has been stopped."""
        state, base, hours = self.state, self._base, dt_s / HOUR
        wanted = base["memory"] * self.fleet.appetite * (0.88 + 0.12 * np.minimum(demand, 2.5))
        wanted *= 1 + 0.08 * on.piling_up
        state.memory += (1 - np.exp(-hours / MEMORY_HOURS)) * (wanted - state.memory)
        grown = np.where(on.leak_per_hour > 0, state.leaked + on.leak_per_hour * hours * self._bursts(), 0)
        state.leaked = np.minimum(grown, 100 - state.memory)
        scarce = np.maximum(state.memory + state.leaked - SCARCE_MEMORY, 0)
        usual = base["swap"] * self.fleet.appetite * (state.memory / (base["memory"] * self.fleet.appetite)) ** 3
        state.swap += (1 - np.exp(-hours / SWAP_HOURS)) * (usual + 4 * scarce - state.swap)

    def _fill(self, demand: Doubles, dt_s: float, now_s: float, on: Pressure) -> None:
        """The disk grows with demand; at night logs are compressed and a rather full disk is cleaned. It is cleared
        when a fill has been stopped.
        """
        state, fleet, hours = self.state, self.fleet, dt_s / HOUR
        day = fleet.growth * np.minimum(demand, 2) * hours / 24
        night = now_s % DAY < max(dt_s, HOUR)
        grown = state.disk + DISK_GROWTH_PER_DAY * day
        state.disk = np.where((grown > CLEANED_ABOVE) & night, 0.95 * fleet.disk, np.minimum(grown, 100))
        written = np.minimum(state.logs + LOGS_PER_DAY * day, 100 - state.disk)
        state.logs = state.logs * np.exp(-hours / ROTATION_HOURS) if night else written
        cleared = state.filled * np.exp(-hours / CLEAN_UP_HOURS)
        filled = np.where(on.fill_per_hour > 0, state.filled + on.fill_per_hour * hours * self._bursts(), cleared)
        state.filled = np.minimum(filled, 100 - state.disk - state.logs)

    def _disk_used(self) -> Doubles:
        return self.state.disk + self.state.logs + self.state.filled

    def _garbage(self) -> Doubles:
        """Percentage points of memory that come and go with garbage collection."""
        return GARBAGE * self._base["java"] * self.state.churn

    def _bursts(self) -> Doubles:
        """How fast leaks and fills go relative to their mean, which is 1."""
        return np.asarray(np.exp(BURSTS * self.state.noise - BURSTS**2 / 2))

    def _restart(self, rebooting: npt.NDArray[np.bool_], now_s: float) -> None:
        state = self.state
        state.boot_s[rebooting & ~state.down] = now_s
        state.down = rebooting.copy()
        state.memory[rebooting] = 0.6 * self._base["memory"][rebooting]
        state.leaked[rebooting] = state.swap[rebooting] = 0.0

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._seed, purpose], counter=[0, 0, 0, self._tick]))


def _wandered(level: Doubles, dt_s: float, minutes: float, rng: np.random.Generator) -> Doubles:
    """Where a random level of mean 0 and variance 1 is after ``dt_s``; it forgets within ``minutes``."""
    keep = np.exp(-dt_s / (minutes * 60))
    return np.asarray(keep * level + np.sqrt(1 - keep**2) * rng.normal(0, 1, len(level)))


def _saturating(busy: Doubles) -> Doubles:
    """(server, share) CPU shares that level off before the machine is full: schedulers and queues see to that."""
    total = busy.sum(axis=1, keepdims=True)
    return np.asarray(busy / (1 + (total / FULL) ** 4) ** 0.25)


_PROFILE_FIELDS = (
    "cpu_user", "cpu_sys", "iowait", "java", "memory", "swap", "disk", "net_in", "net_out", "back_close_wait",
    "front_close_wait", "load", "peak_hour", "swing", "weekend",
)  # fmt: skip
