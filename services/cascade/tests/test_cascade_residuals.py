"""How surprising each value of a trace is, by what came before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_cascade.domain.residuals import Residuals
from argus_cascade.domain.tick import Floats


def trace(steps: int, servers: int = 2, metrics: int = 3, seed: int = 0) -> Floats:
    """(step, server, metric): a daily rhythm, a common load, noise."""
    rng = np.random.default_rng(seed)
    rhythm = np.sin(np.arange(steps) / 46)[:, None, None]
    load = rng.normal(size=(steps, servers, 1))
    return 50 + 10 * rhythm + 3 * load + rng.normal(size=(steps, servers, metrics))


def judged(values: Floats, step_seconds: int = 300) -> Floats:
    residuals = Residuals(values.shape[1], values.shape[2], step_seconds)
    return np.stack([residuals.observe(step, row) for step, row in enumerate(values)])


def test_ordinary_values_are_seldom_surprising() -> None:
    z = judged(trace(2000))[500:]
    assert np.mean(np.abs(z) > 3) < 0.01
    assert abs(np.mean(z)) < 0.2


def test_a_jump_is_surprising_at_once_and_keeps_its_sign() -> None:
    values = trace(1000)
    values[999, 1, 2] -= 40
    assert judged(values)[999, 1, 2] < -4.5
    assert np.abs(judged(values)[999, 0]).max() < 4


def test_a_broken_relation_is_surprising_where_each_value_alone_is_ordinary() -> None:
    rng = np.random.default_rng(1)
    load = rng.normal(size=(1500, 1, 1))
    values = 50 + 10 * load + 0.3 * rng.normal(size=(1500, 1, 3))
    values[1499, 0] = [50, 50, 65]
    assert judged(values)[1499, 0, 2] > 4


def test_a_load_never_seen_is_surprising_although_every_relation_holds() -> None:
    rng = np.random.default_rng(1)
    load = rng.uniform(-1, 1, size=(1500, 1, 1))
    load[1499] = 2.5
    values = 50 + 10 * load + rng.normal(size=(1500, 1, 8))
    assert judged(values)[1499, 0].mean() > 1.5


def test_a_heavy_tail_makes_its_spikes_less_surprising() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3000, 1, 2))
    values[::60, 0, 0] += 12
    values[2999] = 12
    z = judged(values)[2999, 0]
    assert z[0] < z[1]


def test_nothing_later_is_looked_at() -> None:
    values = trace(400)
    assert np.array_equal(judged(values)[:300], judged(values[:300]), equal_nan=True)


def test_missing_values_have_no_surprise_and_teach_nothing_wrong() -> None:
    values = trace(1500)
    values[::3, 0, 1] = np.nan
    z = judged(values)
    assert np.isnan(z[::3, 0, 1]).all()
    assert np.mean(np.abs(z[500:][~np.isnan(z[500:])]) > 3) < 0.01


def test_nothing_is_said_before_a_dozen_values() -> None:
    values = trace(40)
    values[:20, 1] = np.nan
    z = judged(values)
    assert np.isnan(z[:11]).all()
    assert np.isfinite(z[13:, 0]).all()
    assert np.isnan(z[:31, 1]).all()


def test_a_constant_metric_is_no_surprise_until_it_moves() -> None:
    values = trace(600)
    values[:, 0, 0] = 7.0
    values[599, 0, 0] = 9.0
    z = judged(values)[:, 0, 0]
    assert np.abs(z[12:599]).max() < 3
    assert z[599] > 6


def test_a_change_of_less_than_a_hundredth_of_the_level_is_small() -> None:
    values = trace(600)
    values[:, 0, 0] = 7.0
    values[599, 0, 0] = 7.005
    assert judged(values)[599, 0, 0] < 3.5


def test_a_huge_first_value_is_got_over() -> None:
    values = trace(2000)
    values[0] = 1e9
    assert np.mean(np.abs(judged(values)[1000:]) > 3) < 0.05


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([1e-3, 0.1, 8.0, 1024.0]))
def test_the_unit_does_not_matter(factor: float) -> None:
    values = trace(200)
    assert judged(values * factor)[20:] == pytest.approx(judged(values)[20:], abs=1e-3)


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(4)))
def test_servers_do_not_know_of_each_other(order: list[int]) -> None:
    values = trace(150, servers=4)
    assert judged(values[:, order])[20:] == pytest.approx(judged(values)[20:, order], abs=1e-9)


@pytest.mark.parametrize("step_seconds", [1, 10, 60, 3600])
def test_any_cadence_will_do(step_seconds: int) -> None:
    z = judged(trace(400), step_seconds)
    assert np.isfinite(z[13:]).all()
