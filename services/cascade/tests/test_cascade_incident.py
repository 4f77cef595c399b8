"""What a raw trace shows of an incident."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_cascade.domain.origin import Departures, Reason, incident_departures, rank_origins
from argus_cascade.domain.origin.contrast import surprises
from argus_cascade.domain.origin.meaning import Amounts, amounts_of, harm_of
from argus_cascade.domain.origin.season import without_season
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.topology import Topology
from argus_common.metrics import DEFAULT_CATALOGUE

BEGIN, AFTER, DAY = 100, 5, 288
SERVERS = ("front", "orders", "store")
CALLS = Topology.of([("front", "orders"), ("orders", "store"), ("front", "idle")])


def trace(seed: int = 0, servers: int = 3, metrics: int = 2) -> Floats:
    return np.random.default_rng(seed).normal(50, 1, (BEGIN + AFTER, servers, metrics))


def seen(values: Floats, metrics: tuple[str, ...] = ("queue", "threads")) -> Departures:
    return incident_departures(SERVERS, metrics, values, BEGIN, DAY, DEFAULT_CATALOGUE)


@pytest.mark.parametrize(
    ("metric", "harm"),
    [
        ("cpu_used_pct", 1),
        ("cpu_idle_pct", -1),
        ("net_in_mb_s", 0),
        ("latency_p90", 1),
        ("server_lat_p90_s", 1),
        ("in_edge_p50_s", 1),
        ("request_duration_seconds", 1),
        ("http_errors", 1),
        ("availability_average", -1),
        ("success_rate_pct", -1),
        ("workload_ops", 0),
        ("plates_per_hour", 0),
    ],
)
def test_the_direction_of_harm_is_the_catalogues_or_the_names(metric: str, harm: int) -> None:
    assert harm_of(metric, DEFAULT_CATALOGUE) == harm


def test_waiting_and_failed_calls_are_made_of_calls_mean_latency_and_availability() -> None:
    metrics = ("latency_p99", "latency_average", "requests_sum", "availability_average")
    amounts = amounts_of(metrics)
    assert amounts == Amounts(calls=2, waiting=1, succeeding=3)
    row = np.array([[[9.0, 0.5, 40.0, 90.0], [np.nan, np.nan, 0.0, np.nan], [1.0, 0.5, np.nan, 100.0]]])
    np.testing.assert_allclose(amounts.of(row), [[[20.0, 400.0], [0.0, 0.0], [np.nan, np.nan]]])
    np.testing.assert_allclose(Amounts(0, None, 1).of(np.array([[[40.0, 0.9]]])), [[[4.0]]])


@pytest.mark.parametrize("metrics", [("latency_average",), ("requests",), ("cpu_used_pct", "mem_used_pct")])
def test_without_calls_and_what_they_suffer_there_are_no_amounts(metrics: tuple[str, ...]) -> None:
    assert amounts_of(metrics) is None


def test_a_step_of_ten_sigmas_is_told_as_such() -> None:
    values = trace()
    values[BEGIN:, 1, 0] += 10
    found = surprises(values, BEGIN)[BEGIN:]
    assert 1.5 < np.median(found[:, 1, 0]) < 11
    assert np.abs(np.median(found[:, 0], axis=0)).max() < 1


def test_a_short_history_is_no_certainty() -> None:
    values = trace()
    values[BEGIN:, 1, 0] += 10
    assert surprises(values[BEGIN - 3 :], 3)[3:, 1, 0].max() < surprises(values, BEGIN)[BEGIN:, 1, 0].max()


def test_a_series_that_never_moved_is_measured_by_the_fleets_restless_ones() -> None:
    values = np.zeros((BEGIN + AFTER, 3, 1))
    values[:BEGIN, :2, 0] = np.random.default_rng(0).gamma(1, 10, (BEGIN, 2))
    values[BEGIN:, 2] = 20
    assert surprises(values, BEGIN)[BEGIN:, 2].max() < 8


def test_what_is_missing_stays_missing_and_a_series_without_a_past_is_no_departure() -> None:
    values = trace()
    values[:BEGIN, 0, 0] = np.nan
    values[BEGIN, 1, 1] = np.nan
    found = surprises(values, BEGIN)
    assert np.isnan(found[BEGIN, 1, 1])
    assert np.isfinite(found[BEGIN:, 2]).all()
    assert rank_origins(seen(values))[0].probability < 0.6


def test_what_is_usual_at_noon_is_a_departure_at_night() -> None:
    begin = 4 * DAY
    day = 50 - 40 * np.cos(2 * np.pi * np.arange(begin + AFTER) / DAY)
    values = day[:, None, None] + np.random.default_rng(0).normal(0, 1, (begin + AFTER, 3, 1))
    values[begin:, 1] += 40
    told = surprises(without_season(values, begin, DAY), begin)[begin:]
    assert np.median(told[:, 1]) > 5
    assert np.abs(np.median(told[:, [0, 2]], axis=0)).max() < 2
    assert np.abs(surprises(values, begin)[begin:, 1]).max() < 1


def test_a_short_past_has_no_season() -> None:
    values = trace()
    assert without_season(values, BEGIN, DAY) is values


def test_noise_without_a_rhythm_keeps_its_spread() -> None:
    values = np.random.default_rng(0).normal(50, 1, (5 * DAY, 2, 1))
    left = without_season(values, 4 * DAY, DAY)
    assert left.std() == pytest.approx(values.std(), rel=0.05)


def test_the_server_that_departs_is_the_origin() -> None:
    values = trace()
    values[BEGIN:, 1] += 30
    first = rank_origins(seen(values))[0]
    assert first.server == "orders"
    assert Reason.LARGEST in first.reasons


def test_a_lone_value_is_no_departure() -> None:
    values = trace()
    values[BEGIN + 1, 0] += 1000
    values[BEGIN:, 1] += 30
    assert rank_origins(seen(values))[0].server == "orders"


def test_whom_a_failing_server_takes_along_is_explained_by_the_topology() -> None:
    values = trace()
    values[BEGIN:, 0] += 40
    values[BEGIN:, 1] += 35
    values[BEGIN:, 2] += 30
    assert rank_origins(seen(values))[0].server == "front"
    first = rank_origins(seen(values), CALLS)[0]
    assert first.server == "store"
    assert Reason.UPSTREAM in first.reasons


def with_calls(failing: dict[int, Floats]) -> Departures:
    """Calls, mean latency and availability; ``failing``: row → (step,) share of failed calls in the incident."""
    rng = np.random.default_rng(0)
    values = np.empty((BEGIN + AFTER, 3, 3))
    values[..., 0] = rng.poisson(1000, values.shape[:2])
    values[..., 1] = rng.normal(0.1, 0.003, values.shape[:2])
    values[..., 2] = 100.0
    for row, share in failing.items():
        values[BEGIN:, row, 2] -= 100 * share
    return seen(values, ("requests", "latency_mean", "availability"))


def test_the_course_of_the_symptom_tells_who_caused_it_from_who_failed_besides() -> None:
    burst = np.array([0.0, 0.02, 0.03, 0.0, 0.0])
    told = with_calls({0: burst, 1: np.full(AFTER, 0.05), 2: burst * 1.5})
    assert rank_origins(told)[0].server == "orders"
    first = rank_origins(told, symptom="front")[0]
    assert first.server == "store"
    assert Reason.MATCHES_SYMPTOM in first.reasons


def test_what_the_symptom_does_not_depend_on_is_not_its_origin() -> None:
    burst = np.array([0.0, 0.02, 0.03, 0.0, 0.0])
    told = with_calls({0: burst, 1: burst, 2: burst * 1.5})
    assert rank_origins(told, Topology.of([("front", "orders"), ("store", "front")]), "front")[0].server == "orders"


def test_a_symptom_that_nobody_explains_began_by_itself() -> None:
    told = with_calls({0: np.array([0.0, 0.02, 0.03, 0.0, 0.0])})
    assert rank_origins(told, symptom="front")[0].server == "front"


def test_without_amounts_the_course_of_the_strongest_metrics_is_compared() -> None:
    values = trace()
    burst = np.array([0.0, 30.0, 60.0, 30.0, 0.0])
    values[BEGIN:, 0, 0] += burst
    values[BEGIN:, 1, 0] += 90
    values[BEGIN:, 2, 1] += burst * 1.1
    assert rank_origins(seen(values), symptom="front")[0].server == "store"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=2))
def test_the_unit_of_a_metric_does_not_matter(seed: int, units: list[float]) -> None:
    values = trace(seed)
    values[BEGIN:, seed % 3] += 10
    one, other = rank_origins(seen(values)), rank_origins(seen(values * np.array(units)))
    assert [c.server for c in one] == [c.server for c in other]
    assert [c.probability for c in one] == pytest.approx([c.probability for c in other], abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_calm_server_beside_an_incident_changes_little(seed: int) -> None:
    values = trace(seed, servers=4)
    values[BEGIN:, 0] += 30
    names = (*SERVERS, "calm")
    few = rank_origins(incident_departures(SERVERS, ("a", "b"), values[:, :3], BEGIN, DAY, DEFAULT_CATALOGUE))
    more = rank_origins(incident_departures(names, ("a", "b"), values, BEGIN, DAY, DEFAULT_CATALOGUE))
    assert few[0].server == more[0].server == "front"
    assert abs(few[0].probability - more[0].probability) < 0.15
