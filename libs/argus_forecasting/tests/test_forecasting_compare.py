"""Intervals of paired losses: blocks of servers and days are drawn, not windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_forecasting.backtest.compare import Blocks, pooled, typical


def grid(servers: int, days: int) -> Blocks:
    return Blocks.of(np.repeat(np.arange(servers), days), np.tile(np.arange(days) + 700, servers))


def test_a_pooled_ratio_is_that_of_the_sums_and_a_typical_one_weighs_servers_alike() -> None:
    blocks = Blocks.of(np.array([3, 3, 8]), np.array([1, 2, 1]))
    ours, theirs = np.array([1.0, 1.0, 100.0]), np.array([2.0, 2.0, 100.0])
    assert pooled(ours, theirs, blocks).value == pytest.approx(102 / 104)
    assert typical(ours, theirs, blocks).value == pytest.approx(0.5**0.5, rel=1e-5)


def test_windows_without_a_loss_count_for_neither() -> None:
    blocks = grid(2, 1)
    assert pooled(np.array([1.0, np.nan]), np.array([2.0, 5.0]), blocks).value == 0.5


def test_two_idle_servers_compare_as_equal_and_no_loss_at_all_has_no_ratio() -> None:
    nothing = np.zeros(4)
    assert typical(nothing, nothing, grid(2, 2)).value == 1
    assert np.isnan(pooled(nothing, nothing, grid(2, 2)).value)


def test_a_difference_that_rests_on_one_server_is_not_sure() -> None:
    blocks, noise = grid(10, 10), np.random.default_rng(1)
    theirs = noise.uniform(1, 2, 100)
    everywhere = 0.8 * theirs
    in_one = np.where(blocks.server == 4, 0.1, 1.02) * theirs
    assert pooled(everywhere, theirs, blocks).high < 1
    assert pooled(in_one, theirs, blocks).value < 1 < pooled(in_one, theirs, blocks).high


def test_a_difference_that_rests_on_one_day_is_not_sure() -> None:
    blocks = grid(50, 8)
    theirs = np.ones(400)
    ours = np.where(blocks.day == 2, 0.3, 1.02)
    assert pooled(ours, theirs, blocks).value < 1 < pooled(ours, theirs, blocks).high


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    blocks = grid(15, 12)
    covered = 0
    for _ in range(150):
        server, day = rng.normal(0, 0.3, 15)[blocks.server], rng.normal(0, 0.3, 12)[blocks.day]
        ours = 1 + server + day + rng.normal(0, 0.2, 180)
        found = pooled(ours, np.ones(180), blocks)
        covered += found.low <= 1 <= found.high
    assert 0.8 <= covered / 150 <= 0.97


@given(st.floats(0.1, 10), st.integers(0, 1000))
def test_losses_that_are_all_so_much_larger_have_that_ratio_for_sure(factor: float, seed: int) -> None:
    theirs = np.random.default_rng(seed).uniform(1, 2, 12)
    found = pooled(factor * theirs, theirs, grid(4, 3))
    assert (found.value, found.low, found.high) == pytest.approx((factor, factor, factor))
