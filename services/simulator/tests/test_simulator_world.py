"""The laws of the simulated fleet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_simulator.domain.faults import Fault, FaultKind, pressure
from argus_simulator.domain.fleet import Doubles, make_fleet
from argus_simulator.domain.profiles import DEPENDENCIES, PROFILES
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Simulation, Tick
from argus_simulator.domain.truth import Crossing, FaultTruth
from argus_simulator.domain.world import METRICS, World

START = 1_735_689_600.0  # a Wednesday, midnight
STEP = 300.0

scenarios = st.sampled_from(list(Scenario))
seeds = st.integers(0, 2**31)


def run(seed: int, scenario: Scenario, ticks: int, servers: int = 30, step: float = STEP) -> list[Tick]:
    """So many ticks, the scenario switched to after the first."""
    simulation = Simulation(make_fleet(servers, seed), seed, START)
    simulation.switch(scenario)
    return [simulation.tick(START + number * step) for number in range(ticks)]


def column(ticks: list[Tick], metric: str) -> Doubles:
    """(tick, server) one metric."""
    return np.stack([tick.values[:, METRICS.index(metric)] for tick in ticks])


def test_the_columns_are_the_catalogues_received_metrics_in_order() -> None:
    assert tuple(metric.name for metric in DEFAULT_CATALOGUE.received()) == METRICS


@settings(max_examples=20, deadline=None)
@given(seeds, scenarios)
def test_cpu_shares_sum_to_a_hundred(seed: int, scenario: Scenario) -> None:
    ticks = run(seed, scenario, 60)
    shares = sum(column(ticks, name) for name in ("cpu_user_pct", "cpu_sys_pct", "cpu_iowait_pct", "cpu_idle_pct"))
    np.testing.assert_allclose(shares, 100.0, atol=1e-9)
    assert (column(ticks, "java_cpu_pct") <= column(ticks, "cpu_user_pct") + 1e-9).all()


@settings(max_examples=20, deadline=None)
@given(seeds, scenarios)
def test_values_are_always_legal(seed: int, scenario: Scenario) -> None:
    ticks = run(seed, scenario, 60)
    for metric in DEFAULT_CATALOGUE.received():
        values = column(ticks, metric.name)
        assert np.isfinite(values).all()
        assert (values >= metric.lower).all()
        assert (values <= metric.upper).all()


@settings(max_examples=10, deadline=None)
@given(seeds, scenarios)
def test_the_same_seed_gives_the_same_values_and_the_same_truth(seed: int, scenario: Scenario) -> None:
    first, second = run(seed, scenario, 40), run(seed, scenario, 40)
    assert [tick.truth for tick in first] == [tick.truth for tick in second]
    assert all(np.array_equal(a.values, b.values) for a, b in zip(first, second, strict=True))


def test_another_seed_gives_another_fleet() -> None:
    assert not np.array_equal(run(1, Scenario.HEALTHY, 2)[1].values, run(2, Scenario.HEALTHY, 2)[1].values)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_uptime_rises_but_for_reboots(seed: int) -> None:
    uptime = column(run(seed, Scenario.CRITICAL, 200), "uptime_days")
    change = np.diff(uptime, axis=0)
    restarted = change <= 0
    np.testing.assert_allclose(change[~restarted], STEP / 86_400, atol=2e-4)
    assert (uptime[1:][restarted] <= STEP / 86_400 + 1e-4).all()


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_dependents_never_suffer_before_what_they_depend_on(seed: int) -> None:
    ticks = run(seed, Scenario.CASCADE, 5, servers=60)
    faults = {t.number: t for tick in ticks for t in tick.truth if isinstance(t, FaultTruth)}
    caused = [fault for fault in faults.values() if fault.caused_by is not None]
    pairs = {(d.downstream, d.upstream) for d in DEPENDENCIES}
    for fault in caused:
        cause = faults[fault.caused_by or 0]
        assert fault.begin_s >= cause.begin_s + STEP
        assert fault.size < cause.size
        assert (fault.profile, cause.profile) in pairs


def test_a_cascade_begins_at_a_database_and_reaches_others() -> None:
    kinds = [
        t.kind for tick in run(3, Scenario.CASCADE, 3, servers=60) for t in tick.truth if isinstance(t, FaultTruth)
    ]
    assert kinds.count("upstream_failure") == 1
    assert kinds.count("dependency_failure") >= 3


def test_truth_names_only_servers_that_exist() -> None:
    names = set(make_fleet(30, 5).names)
    assert {t.server for tick in run(5, Scenario.CRITICAL, 50) for t in tick.truth} <= names


def test_a_week_of_a_healthy_fleet_has_its_profiles_means_and_hardly_crosses_a_limit() -> None:
    fleet = make_fleet(90, 7)
    ticks = run(7, Scenario.HEALTHY, 2016, servers=90)
    for number, profile in enumerate(PROFILES):
        mine = fleet.profile == number
        assert column(ticks, "cpu_user_pct")[:, mine].mean() == pytest.approx(profile.cpu_user, rel=0.3)
        assert column(ticks, "mem_used_pct")[:, mine].mean() == pytest.approx(profile.memory, rel=0.15)
        assert column(ticks, "disk_usage_pct")[:, mine].mean() == pytest.approx(profile.disk, rel=0.25)
    crossings = [t for tick in ticks for t in tick.truth if isinstance(t, Crossing) and t.beyond]
    assert len(crossings) < 90


def test_weekends_are_quieter_than_weekdays() -> None:
    fleet = make_fleet(90, 7)
    ticks = run(7, Scenario.HEALTHY, 2016, servers=90)
    weekend = [int((tick.time_s // 86_400 + 4) % 7) in (0, 6) for tick in ticks]
    busy = column(ticks, "cpu_user_pct")[:, fleet.profile == 0].mean(axis=1)
    assert busy[weekend].mean() < 0.8 * busy[[not day for day in weekend]].mean()


def test_degrading_builds_up_for_an_hour_or_more_before_a_limit_is_crossed() -> None:
    ticks = run(7, Scenario.DEGRADING, 120, servers=60)
    faults = [
        t for tick in ticks for t in tick.truth if isinstance(t, FaultTruth) and t.kind in ("memory_leak", "disk_fill")
    ]
    crossings = [t for tick in ticks for t in tick.truth if isinstance(t, Crossing) and t.beyond]
    metric = {"memory_leak": "mem_used_pct", "disk_fill": "disk_usage_pct"}
    builds = [
        crossing.time_s - fault.begin_s
        for fault in faults
        for crossing in crossings
        if (crossing.server, crossing.metric) == (fault.server, metric[fault.kind])
    ]
    assert builds
    assert min(builds) > 3600


def test_switching_back_to_healthy_ends_the_faults() -> None:
    simulation = Simulation(make_fleet(30, 7), 7, START)
    simulation.tick(START)
    simulation.switch(Scenario.CRITICAL)
    simulation.tick(START + STEP)
    simulation.switch(Scenario.HEALTHY)
    later = [simulation.tick(START + (n + 2) * STEP) for n in range(200)]
    assert column(later, "disk_usage_pct").max() < 90


@pytest.mark.parametrize("metric", ["mem_used_pct", "disk_usage_pct"])
def test_servers_of_a_profile_keep_their_own_level_of_memory_and_disk(metric: str) -> None:
    fleet = make_fleet(90, 7)
    day = column(run(7, Scenario.HEALTHY, 15 * 96, servers=90, step=900.0), metric).reshape(15, 96, 90).mean(axis=1)
    for number in range(len(PROFILES)):
        first, last = day[0, fleet.profile == number], day[-1, fleet.profile == number]
        assert last.std() > 0.7 * first.std()
        assert np.corrcoef(first, last)[0, 1] > 0.6
    assert np.median(np.abs(day[-1] - day[0])) < 6


def test_memory_swap_and_disk_are_never_still_for_hours_nor_rise_in_a_straight_line() -> None:
    ticks = run(7, Scenario.HEALTHY, 288, servers=30)
    for metric in ("mem_used_pct", "swap_used_pct", "disk_usage_pct"):
        six_hours = column(ticks, metric).reshape(4, 72, 30)
        straight = np.linspace(six_hours[:, 0], six_hours[:, -1], 72, axis=1)
        assert (np.abs(six_hours - straight).max(axis=1) >= 0.01).mean() > 0.95


def test_logs_take_room_by_day_and_are_compressed_at_night() -> None:
    disk = column(run(7, Scenario.HEALTHY, 3 * 288, servers=30), "disk_usage_pct")
    evenings, mornings = disk[287::288], disk[288 + 12 :: 288]
    assert (evenings[:2] - mornings > 0.2).mean() > 0.8
    assert (evenings[1:] - mornings > 0.2).mean() > 0.8


def test_the_weekend_comes_and_goes_within_hours_not_at_once() -> None:
    fleet = make_fleet(400, 7)
    ticks = run(7, Scenario.HEALTHY, 7 * 96, servers=400, step=900.0)
    traffic = column(ticks, "net_in_mb_s")[:, fleet.profile == 0].mean(axis=1)
    change = np.abs(np.diff(np.log(traffic)))
    friday_midnight = 3 * 96 - 1
    assert change[friday_midnight] < 0.15
    assert traffic[4 * 96 : 5 * 96].mean() < 0.75 * traffic[:96].mean()


@pytest.mark.parametrize("size", [0.2, -0.2])
def test_a_deployment_moves_the_servers_traffic_by_its_size_and_nobody_elses(size: float) -> None:
    fleet = make_fleet(30, 7)
    before, after = World(fleet, 7, START), World(fleet, 7, START)
    deployed = Fault(1, FaultKind.DEPLOYMENT, 4, START, START + 30 * 86_400, size, 60.0)
    for number in range(1, 200):
        now_s = START + number * STEP
        usual = before.advance(now_s, STEP, pressure([], 30, now_s))[:, METRICS.index("net_in_mb_s")]
        changed = after.advance(now_s, STEP, pressure([deployed], 30, now_s))[:, METRICS.index("net_in_mb_s")]
        assert changed[4] == pytest.approx(usual[4] * (1 + size), rel=0.001)
        assert np.array_equal(np.delete(changed, 4), np.delete(usual, 4))


def test_deployments_come_to_a_healthy_fleet_with_the_truth_about_each() -> None:
    ticks = run(7, Scenario.HEALTHY, 14 * 96, servers=90, step=900.0)
    deployed = [t for tick in ticks for t in tick.truth if isinstance(t, FaultTruth) and t.kind == "deployment"]
    assert 30 <= len(deployed) <= 80  # three in ten of one event a server and week
    assert all(t.end_s - t.begin_s == 30 * 86_400 and abs(t.size) <= 0.3 for t in deployed)
    assert min(t.size for t in deployed) < 0 < max(t.size for t in deployed)


def test_a_full_disk_hurts_the_service() -> None:
    fleet = make_fleet(30, 7)
    well, full = World(fleet, 7, START), World(fleet, 7, START)
    full.state.filled = 100 - full.state.disk
    on = pressure([], len(fleet), START)
    before, after = well.advance(START, STEP, on), full.advance(START, STEP, on)
    traffic, wait = METRICS.index("net_in_mb_s"), METRICS.index("cpu_iowait_pct")
    np.testing.assert_allclose(after[:, traffic], 0.6 * before[:, traffic], atol=0.02)
    assert (after[:, wait] > before[:, wait] + 4).all()


def test_a_fleet_too_small_for_every_profile_has_the_size_asked_for() -> None:
    assert len(make_fleet(5, 1)) == 5


@pytest.mark.parametrize("size", [7, 20, 90, 400])
def test_a_fleet_has_the_size_asked_for_and_every_profile(size: int) -> None:
    fleet = make_fleet(size, 1)
    assert len(fleet) == size
    assert set(fleet.profile.tolist()) == set(range(len(PROFILES)))
    assert len(set(fleet.names)) == size
