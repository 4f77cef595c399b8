"""From where values fell in their forecasts to z."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from argus_cascade.domain.pit import smallest_changes, surprises
from argus_cascade.domain.tick import FleetTick
from argus_common.metrics import DEFAULT_CATALOGUE

MISSING = float("nan")


def z(pit: list[float], residual: float = 10.0, smallest: float = 1.0) -> float:
    """Of one server and target with so many leads."""
    shape = (1, 1, len(pit))
    tick = FleetTick(
        "default", 1, 300, ("a",), ("generic",), ("cpu_used_pct",), np.array([1.0]), (1, 12, 96)[: len(pit)],
        np.array(pit).reshape(shape), np.full(shape, residual), np.zeros((1, 1)), np.zeros((1, 1, 4)),
        np.zeros((1, 1, 3)), np.zeros(1),
    )  # fmt: skip
    return float(surprises(tick, np.array([smallest]))[0, 0])


@pytest.mark.parametrize("sigmas", [-6, -3, -1, 0, 0.5, 2, 5])
def test_one_lead_gives_the_z_of_its_pit(sigmas: float) -> None:
    assert z([float(ndtr(sigmas))]) == pytest.approx(sigmas, abs=1e-6)


@given(st.floats(0.001, 0.999))
def test_leads_that_agree_give_what_one_gives(pit: float) -> None:
    assert z([pit] * 3) == pytest.approx(z([pit]), abs=1e-6)


def test_one_surprised_lead_is_enough_and_costs_little() -> None:
    assert 4.5 < z([1 - 1e-7, 0.5, 0.5]) < z([1 - 1e-7])


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=3))
def test_high_and_low_mirror_each_other(pit: list[float]) -> None:
    assert z([1 - p for p in pit]) == pytest.approx(-z(pit), abs=1e-6)


def test_a_lead_without_a_forecast_is_left_out() -> None:
    assert z([0.99, MISSING, MISSING]) == pytest.approx(z([0.99]))
    assert np.isnan(z([MISSING, MISSING]))


def test_a_value_outside_a_forecast_without_spread_has_a_finite_z() -> None:
    assert z([1.0]) == pytest.approx(8.2, abs=0.05)
    assert z([0.0]) == pytest.approx(-8.2, abs=0.05)


def test_a_miss_too_small_to_matter_is_hardly_a_surprise() -> None:
    assert z([0.999], residual=0.01) < 0.5
    assert z([0.999], residual=1.0) == z([0.999], residual=50.0)
    assert z([0.999], residual=0.01, smallest=0.0) == z([0.999])


def test_a_percentage_point_matters_and_of_other_units_anything() -> None:
    assert smallest_changes(("cpu_used_pct", "load_average"), DEFAULT_CATALOGUE).tolist() == [1.0, 0.0]
