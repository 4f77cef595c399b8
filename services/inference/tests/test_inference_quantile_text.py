"""The looked-up text is JSON that says what rounding says, whatever the numbers."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argus_common.rounding import round_alike
from argus_inference.domain.quantile_text import quantile_texts


def text(*levels: float) -> str:
    """Of one series with one lead."""
    return quantile_texts(np.array([[levels]]))[0].decode()


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((40.0,), "[[40.00]]"),
        ((0.0, 0.0), "[[0.000,0.000]]"),
        ((-0.0, 1e-9, 1.0), "[[-0.000,0.000,1.000]]"),
        ((99.999, 5.0), "[[100.00,5.00]]"),
        ((-99.999, 0.004), "[[-100.00,0.00]]"),
        ((9999.6, -1.0), "[[10000,-1]]"),
        ((0.99999, 0.5), "[[1.0000,0.5000]]"),
        ((12346.0, 1.0), "[[12350.0,0.0]]"),
        ((0.0123456, 0.001), "[[0.01235,0.001]]"),
        ((1e30, 2.0), "[[1e30,0.0]]"),
    ],
)
def test_the_largest_number_of_a_series_has_four_digits(levels: tuple[float, ...], expected: str) -> None:
    assert json.loads(text(*levels)) == json.loads(expected)
    assert text(*levels).replace("-0.000", "0.000") == expected.replace("-0.000", "0.000")


def test_leads_and_levels_keep_their_places() -> None:
    made = quantile_texts(np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7e5, 8e5], [9e5, 1e6], [2e6, 3e6]]]))
    assert [json.loads(series) for series in made] == [
        [[1, 2], [3, 4], [5, 6]],
        [[700_000, 800_000], [900_000, 1_000_000], [2_000_000, 3_000_000]],
    ]


scale = st.sampled_from([1e-12, 1e-4, 0.05, 1.0, 100.0, 1e4, 1e9, 3e38])
numbers = st.floats(-1, 1).map(lambda x: float(np.float32(x)))


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4)), elements=numbers), scale)
def test_what_is_read_back_is_what_rounding_gives(
    quantiles: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", scale: float
) -> None:
    scaled = quantiles * scale
    read = np.array([json.loads(series) for series in quantile_texts(scaled)])
    np.testing.assert_array_equal(read, round_alike(scaled, 4))


@given(arrays(np.float64, (3, 2, 5), elements=numbers), scale)
def test_quantiles_never_cross_by_rounding(
    quantiles: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", scale: float
) -> None:
    rising = np.sort(quantiles, axis=2) * scale
    read = np.array([json.loads(series) for series in quantile_texts(rising)])
    assert (np.diff(read, axis=2) >= 0).all()
