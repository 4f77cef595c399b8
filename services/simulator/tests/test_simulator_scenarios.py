"""What scenarios do to the fleet for as long as they last, and what the truth says about it."""

from collections.abc import Iterator
from functools import cache
from itertools import count, pairwise

import numpy as np
import pytest

from argus_simulator.domain.defects import Defects, Transport
from argus_simulator.domain.faults import Fault, FaultKind
from argus_simulator.domain.fleet import Doubles, Fleet, make_fleet
from argus_simulator.domain.scenarios import Moment, Room, Scenario, begin
from argus_simulator.domain.simulation import Simulation, Tick
from argus_simulator.domain.truth import Cancelled, Crossing, FaultTruth
from argus_simulator.domain.world import METRICS

START = 1_735_689_600.0  # a Wednesday, midnight
HOUR, DAY = 3600.0, 86_400.0
METRIC = {"memory_leak": "mem_used_pct", "disk_fill": "disk_usage_pct"}
WEARING = {*METRIC, "noisy_neighbour"}
SHARES = {Scenario.DEGRADING: 0.15, Scenario.CRITICAL: 0.25}
LASTS = 1.6  # times as long as it takes to reach the limit


@cache
def run(scenario: Scenario, hours: float, step: float, seed: int = 7, servers: int = 60) -> tuple[Fleet, list[Tick]]:
    """The scenario from the second tick on, for so long."""
    fleet = make_fleet(servers, seed)
    simulation = Simulation(fleet, seed, START)
    simulation.switch(scenario)
    return fleet, [simulation.tick(START + number * step) for number in range(int(hours * HOUR / step))]


def faults(ticks: list[Tick], *kinds: str) -> list[FaultTruth]:
    """The truth about faults of these kinds."""
    return [t for tick in ticks for t in tick.truth if isinstance(t, FaultTruth) and t.kind in kinds]


def crossings(ticks: list[Tick], fault: FaultTruth) -> Iterator[Crossing]:
    """When the limit that a leak or a fill drives at was crossed while it went on."""
    for truth in (t for tick in ticks for t in tick.truth if isinstance(t, Crossing) and t.beyond):
        driven = (truth.server, truth.metric) == (fault.server, METRIC[fault.kind])
        if driven and fault.begin_s <= truth.time_s < fault.end_s:
            yield truth


def course(fleet: Fleet, ticks: list[Tick], server: str, metric: str) -> Doubles:
    """(tick,) one metric of one server."""
    at = fleet.names.index(server), METRICS.index(metric)
    return np.array([tick.values[at] for tick in ticks])


@pytest.mark.parametrize("scenario", [Scenario.DEGRADING, Scenario.CRITICAL])
def test_a_leak_and_a_fill_reach_the_limit_of_the_servers_profile_about_when_planned(scenario: Scenario) -> None:
    _, ticks = run(scenario, 24, 60)
    met = set()
    restarts = [(f.server, f.begin_s) for f in faults(ticks, "reboot") if f.caused_by is None]
    over = [
        fault
        for fault in faults(ticks, *METRIC)
        if fault.end_s < ticks[-1].time_s
        and not any(server == fault.server and fault.begin_s < at < fault.end_s for server, at in restarts)
    ]
    for fault in over:
        first = next(crossings(ticks, fault))
        memory_limit = 98.0 if fault.profile in ("database", "ml_compute") else 95.0
        assert first.limit == (memory_limit if fault.kind == "memory_leak" else 90.0)
        assert (first.time_s - fault.begin_s) * LASTS / (fault.end_s - fault.begin_s) == pytest.approx(1, abs=0.35)
        met.add(first.limit)
    assert len(over) >= 12
    assert met == {90.0, 95.0, 98.0}


def test_memory_and_disk_come_back_when_a_leak_or_a_fill_has_ended() -> None:
    fleet, ticks = run(Scenario.DEGRADING, 24, 60)
    seen = set()
    for fault in faults(ticks, *METRIC):
        later = [f for f in faults(ticks, *METRIC) if f.server == fault.server and f.begin_s >= fault.end_s]
        until = min([f.begin_s for f in later] + [fault.end_s + 2 * HOUR])
        after = [tick for tick in ticks if fault.end_s + 0.5 * HOUR <= tick.time_s < until]
        if not after:
            continue
        values = course(fleet, after, fault.server, METRIC[fault.kind])
        assert values.max() < (90 if fault.kind == "disk_fill" else 95)
        assert values[-1] < (85 if fault.kind == "disk_fill" else 90)
        seen.add(fault.kind)
    assert seen == set(METRIC)


def test_a_server_without_memory_restarts_because_of_its_leak_and_is_silent_until_it_is_up() -> None:
    fleet, ticks = run(Scenario.CRITICAL, 12, 30)
    transport = Transport(Defects(), len(fleet), 7)
    sent = [set(transport.deliver(tick.time_s, tick.values, tick.silent).server) for tick in ticks]
    leaks = {fault.number: fault for fault in faults(ticks, "memory_leak")}
    restarts = [fault for fault in faults(ticks, "reboot") if fault.caused_by is not None]
    assert len(restarts) >= 5
    for restart in restarts:
        leak, server = leaks[restart.caused_by or 0], fleet.names.index(restart.server)
        assert leak.server == restart.server
        assert leak.begin_s < restart.begin_s < leak.end_s
        assert 120 <= restart.end_s - restart.begin_s <= 300
        heard = {
            tick.time_s: server in rows
            for tick, rows in zip(ticks, sent, strict=True)
            if restart.begin_s - 60 <= tick.time_s < restart.end_s + 60
        }
        assert heard == {time_s: not restart.begin_s <= time_s < restart.end_s for time_s in heard}
        before = [tick for tick in ticks if tick.time_s < restart.begin_s][-1:]
        back = [tick for tick in ticks if tick.time_s >= restart.end_s][:1]
        assert course(fleet, before, restart.server, "mem_used_pct") >= 99.6
        assert (course(fleet, back, restart.server, "mem_used_pct") < 60).all()
        assert (course(fleet, back, restart.server, "uptime_days") * DAY < 360).all()


def test_the_limit_counts_as_left_when_a_restarted_server_speaks_again() -> None:
    _, ticks = run(Scenario.CRITICAL, 12, 30)
    restarts = [f for f in faults(ticks, "reboot") if f.caused_by is not None and f.end_s < ticks[-1].time_s]
    left = {
        (t.server, t.time_s)
        for tick in ticks
        for t in tick.truth
        if isinstance(t, Crossing) and t.metric == "mem_used_pct" and not t.beyond
    }
    assert restarts
    for restart in restarts:
        assert (restart.server, np.ceil(restart.end_s / 30) * 30) in left


def test_switching_to_healthy_tells_once_of_every_fault_that_it_cancels() -> None:
    simulation = Simulation(make_fleet(30, 7), 7, START)
    simulation.switch(Scenario.CRITICAL)
    before = [simulation.tick(START + number * 300) for number in range(20)]
    simulation.switch(Scenario.HEALTHY)
    after = [simulation.tick(START + number * 300) for number in range(20, 60)]
    now_s = after[0].time_s
    going = {f.number: f for f in faults(before, *WEARING) if f.end_s > now_s}
    told = [t for tick in after for t in tick.truth if isinstance(t, Cancelled)]
    assert {t.number: (t.kind, t.server, t.time_s) for t in told} == {
        number: (fault.kind, fault.server, now_s) for number, fault in going.items()
    }
    assert len(told) == len(going) > 0
    assert not faults(after, *WEARING)


def test_a_fault_that_was_cancelled_before_it_began_never_begins() -> None:
    fleet = make_fleet(60, 7)
    simulation = Simulation(fleet, 7, START)
    simulation.switch(Scenario.CRITICAL)
    ticks = [simulation.tick(START + number * 10) for number in range(3)]
    simulation.switch(Scenario.HEALTHY)
    ticks += [simulation.tick(START + number * 10) for number in range(3, 360)]
    waiting = [f for f in faults(ticks, "disk_fill") if f.begin_s > START + 60]
    assert waiting
    for fault in waiting:
        assert np.ptp(course(fleet, ticks, fault.server, "disk_usage_pct")) < 1


@pytest.mark.parametrize("scenario", list(SHARES))
@pytest.mark.parametrize("seed", [7, 8])
def test_a_scenario_keeps_its_share_of_the_fleet_in_trouble_for_two_days(scenario: Scenario, seed: int) -> None:
    _, ticks = run(scenario, 48, 300, seed)
    wearing = faults(ticks, *WEARING)
    times = np.array([tick.time_s for tick in ticks if tick.time_s >= START + HOUR])
    troubled = sum(((f.begin_s <= times) & (times < f.end_s)).astype(float) for f in wearing) / 60
    share = SHARES[scenario]
    assert np.mean(troubled) == pytest.approx(0.9 * share, rel=0.15)
    assert np.max(troubled) <= share + 1e-9
    each_six_hours = np.asarray(troubled)[: 7 * 72].reshape(7, 72).mean(axis=1)
    assert each_six_hours.min() > 0.7 * share


@pytest.mark.parametrize("scenario", list(SHARES))
def test_every_kind_of_wear_is_met_and_a_server_recovers_before_it_wears_out_again(scenario: Scenario) -> None:
    _, ticks = run(scenario, 48, 300)
    wearing = faults(ticks, *WEARING)
    counts = [sum(fault.kind == kind for fault in wearing) for kind in sorted(WEARING)]
    assert min(counts) > 0.5 * max(counts)
    for server in {fault.server for fault in wearing}:
        mine = sorted((f.begin_s, f.end_s) for f in wearing if f.server == server)
        assert all(end + 2 * HOUR - 300 <= begin for (_, end), (begin, _) in pairwise(mine))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cascades_recur_and_begin_at_different_databases(seed: int) -> None:
    _, ticks = run(Scenario.CASCADE, 96, 300, seed)
    roots = faults(ticks, "upstream_failure")
    assert 5 <= len(roots) <= 25
    assert len({root.server for root in roots}) >= 2
    assert {root.profile for root in roots} == {"database"}
    hit = [sum(f.caused_by == root.number for f in faults(ticks, "dependency_failure")) for root in roots]
    assert np.median(hit) >= 2


def test_no_cascade_begins_where_every_database_has_its_trouble_already() -> None:
    fleet, rng = make_fleet(30, 7), np.random.default_rng(1)
    at, room = Moment(fleet, START, 10.0, rng, count()), np.full(30, 50.0)
    others = np.flatnonzero([fleet.profile_of(server).name != "database" for server in range(30)])
    assert begin(Scenario.CASCADE, Room(room, room, others, 30 - len(others)), at) == []
    assert begin(Scenario.CASCADE, Room(room, room, np.arange(30), 0), at) != []


def test_each_of_the_three_most_used_databases_can_be_a_cascades_origin() -> None:
    fleet, room = make_fleet(60, 7), np.full(60, 50.0)
    databases = [server for server in range(60) if fleet.profile_of(server).name == "database"]
    most_used = sorted(databases, key=lambda server: -len(fleet.dependents(server)))[:3]
    origins = set()
    for seed in range(30):
        at = Moment(fleet, START, 10.0, np.random.default_rng(seed), count())
        origins.add(begin(Scenario.CASCADE, Room(room, room, np.arange(60), 0), at)[0].server)
    assert origins == set(most_used)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_two_days_and_a_switch_back_are_the_same_for_the_same_seed(scenario: Scenario) -> None:
    def play() -> list[Tick]:
        simulation = Simulation(make_fleet(30, 5), 5, START)
        ticks = []
        for number in range(576):
            if number in (6, 400):
                simulation.switch(scenario if number == 6 else Scenario.HEALTHY)
            ticks.append(simulation.tick(START + number * 300))
        return ticks

    for first, second in zip(play(), play(), strict=True):
        assert first.truth == second.truth
        assert np.array_equal(first.values, second.values)
        assert np.array_equal(first.silent, second.silent)


def test_a_fault_of_the_callers_own_happens_whatever_the_scenario() -> None:
    def iowait(*faults: Fault) -> float:
        simulation = Simulation(make_fleet(30, 5), 5, START)
        simulation.strike(faults)
        ticks = [simulation.tick(START + number * 300) for number in range(12)]
        return float(ticks[-1].values[3, METRICS.index("cpu_iowait_pct")])

    fault = Fault(0, FaultKind.UPSTREAM_FAILURE, 3, START + 900, START + 9000, 1.0)
    assert iowait(fault) > iowait() + 20
