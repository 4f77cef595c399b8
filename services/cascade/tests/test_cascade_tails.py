"""What is usually the largest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_cascade.domain import tails
from argus_cascade.domain.tick import Floats


def histogram(sizes: Floats, weight: float = 1.0) -> Floats:
    made = np.zeros((1, tails.BINS))
    for size in sizes:
        tails.count(made, np.array([size]), np.array([weight]))
    return made


def test_the_usual_is_exceeded_three_times_in_a_thousand() -> None:
    sizes = np.abs(np.random.default_rng(0).normal(size=20_000))
    assert tails.usual(histogram(sizes))[0] == pytest.approx(np.quantile(sizes, 1 - tails.RARE), rel=0.1)


def test_with_few_sizes_the_tail_is_taken_for_exponential() -> None:
    sizes = np.random.default_rng(1).exponential(size=60)
    assert tails.usual(histogram(sizes))[0] == pytest.approx(-np.log(tails.RARE), rel=0.4)


def test_nothing_is_usual_while_nothing_is_known() -> None:
    assert tails.usual(np.zeros((1, tails.BINS))).tolist() == [np.inf]


def test_a_missing_size_is_not_counted() -> None:
    assert histogram(np.array([np.nan])).sum() == 0


def test_a_long_run_counts_as_little_more_than_its_beginning() -> None:
    run, total = np.zeros(1), 0.0
    for _ in range(1000):
        run = tails.longer(run, np.array([True]))
        total += tails.lesson(run)[0]
    assert 5 < total < 11


def test_a_spike_that_returns_counts_in_full_each_time() -> None:
    run = np.zeros(1)
    for step in range(300):
        large = step % 30 == 0
        run = tails.longer(run, np.array([large]))
        assert tails.lesson(run)[0] == 1


@given(st.floats(0.1, 50))
def test_larger_sizes_have_a_larger_usual(factor: float) -> None:
    sizes = np.random.default_rng(2).exponential(size=500)
    larger, smaller = tails.usual(histogram(sizes * (1 + factor)))[0], tails.usual(histogram(sizes))[0]
    assert larger >= smaller
